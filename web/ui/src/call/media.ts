// Microphone and camera: what there is, and a plain word when there is none.
export type MediaProblem = 'denied' | 'noMic' | 'noCam' | 'insecure' | 'busy';
export interface Local { audio?: MediaStreamTrack; video?: MediaStreamTrack; problem?: MediaProblem }

const audioWanted = (deviceId?: string): MediaTrackConstraints =>
  ({ echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) });
const videoWanted = (deviceId?: string): MediaTrackConstraints =>
  ({ width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15, max: 24 }, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) });

export function problemOf(err: unknown, kind: 'audio' | 'video'): MediaProblem {
  const name = err instanceof DOMException ? err.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return kind === 'audio' ? 'denied' : 'noCam';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return kind === 'audio' ? 'noMic' : 'noCam';
}

export async function microphone(deviceId?: string): Promise<MediaStreamTrack> {
  return (await navigator.mediaDevices.getUserMedia({ audio: audioWanted(deviceId) })).getAudioTracks()[0]!;
}
export async function camera(deviceId?: string): Promise<MediaStreamTrack> {
  return (await navigator.mediaDevices.getUserMedia({ video: videoWanted(deviceId) })).getVideoTracks()[0]!;
}

/** Both at once (one question to the user), else each alone: voice never waits for a camera. */
export async function open(): Promise<Local> {
  if (!navigator.mediaDevices?.getUserMedia) return { problem: 'insecure' };
  try {
    const both = await navigator.mediaDevices.getUserMedia({ audio: audioWanted(), video: videoWanted() });
    return { audio: both.getAudioTracks()[0], video: both.getVideoTracks()[0] };
  } catch { /* one of them is missing or refused: ask for each */ }
  const out: Local = {};
  try { out.audio = await microphone(); } catch (err) { out.problem = problemOf(err, 'audio'); }
  try { out.video = await camera(); } catch (err) { out.problem ??= problemOf(err, 'video'); }
  return out;
}

export interface Devices { audio: MediaDeviceInfo[]; video: MediaDeviceInfo[] }
export async function devices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return { audio: all.filter((d) => d.kind === 'audioinput'), video: all.filter((d) => d.kind === 'videoinput') };
}
