// How long the packets of our voice are. The server's answer says it, and later
// a target; a browser learns it from a description only. So the answer in force
// is taken once more, with another length in it: nothing crosses the link.

/** A description that asks for packets of so many ms. */
export const inPackets = (sdp: string, ms: number | undefined): string => (ms ? sdp.replace(/^a=(max)?ptime:\d+/gm, (_, max?: string) => `a=${max ?? ''}ptime:${ms}`) : sdp);

const lines = (sdp: string, start: string): string => sdp.split(/\r?\n/).filter((l) => l.startsWith(start)).join();

/** Takes the answer in force again where something else is asked for. While an offer is under way, or another would say something new, its own answer will. */
export async function retake(pc: RTCPeerConnection, asked: (sdp: string) => string): Promise<void> {
  const answer = pc.currentRemoteDescription?.sdp, mine = pc.currentLocalDescription?.sdp;
  if (!answer || !mine || pc.signalingState !== 'stable' || asked(answer) === answer) return;
  const offer = await pc.createOffer();
  for (const line of ['m=', 'a=mid:', 'a=ice-ufrag:']) if (lines(offer.sdp!, line) !== lines(mine, line)) return;
  await pc.setLocalDescription(offer);
  await pc.setRemoteDescription({ type: 'answer', sdp: asked(answer) });
}
