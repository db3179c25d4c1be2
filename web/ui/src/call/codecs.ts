// In which codec pictures go. VP9 says the same in fewer bytes, and in layers;
// where somebody in the call cannot show it, the server says which one all can.

/** What we offer, VP9 first; other codecs stay as a way out. */
export function preferVP9(pc: RTCPeerConnection): void {
  const all = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (!all?.length) return;
  const first = (c: { mimeType: string; sdpFmtpLine?: string }) => (/vp9/i.test(c.mimeType) && !/profile-id=[1-9]/.test(c.sdpFmtpLine ?? '') ? 0 : 1);
  const order = [...all].sort((a, b) => first(a) - first(b));
  for (const t of pc.getTransceivers()) if (t.receiver.track.kind === 'video') try { t.setCodecPreferences?.(order); } catch { /* as the browser likes it */ }
}

/** An answer that asks for our picture in a codec: its first format is the one that is sent. */
export function inCodec(sdp: string, codec: string | undefined): string {
  if (!codec) return sdp;
  return sdp.split(/^(?=m=)/m).map((section) => {
    if (!section.startsWith('m=video') || !/^a=(recvonly|sendrecv)/m.test(section)) return section;
    const names = [...section.matchAll(/^a=rtpmap:(\d+) ([^/\r\n]+)/gm)].filter((m) => m[2]!.toUpperCase() === codec.toUpperCase()).map((m) => m[1]!);
    // Of H.264 the one profile that everybody has.
    const pt = names.find((n) => new RegExp(`^a=fmtp:${n} .*profile-level-id=42[ec]0`, 'm').test(section)) ?? names[0];
    if (!pt) return section;
    return section.replace(/^(m=video \S+ \S+)( .*)/, (_, head: string, list: string) => `${head} ${[pt, ...list.trim().split(' ').filter((n) => n !== pt)].join(' ')}`);
  }).join('');
}
