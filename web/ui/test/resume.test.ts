import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf } from '../src/call/resume';

const answer = [
  'v=0', 'a=ice-lite',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0',
  'a=candidate:1 1 udp 2130706431 203.0.113.7 3478 typ host',
  'a=candidate:2 1 udp 2130706175 2001:db8::7 3478 typ host ufrag abcd',
  'a=candidate:3 1 tcp 1671430143 203.0.113.7 3478 typ host tcptype passive',
  'a=candidate:9 1 udp 2130706431 203.0.113.7 3478 typ host', // told once more before
  'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1',
  'a=candidate:1 1 udp 2130706431 203.0.113.7 3478 typ host', '',
].join('\r\n');

test('each address of the server is told once more, as another', () => {
  assert.deepEqual(candidatesOf(answer, '77'), [
    { candidate: 'candidate:77 1 udp 2130706431 203.0.113.7 3478 typ host', sdpMid: '0', sdpMLineIndex: 0 },
    { candidate: 'candidate:77 1 udp 2130706175 2001:db8::7 3478 typ host', sdpMid: '0', sdpMLineIndex: 0 },
  ]);
  assert.deepEqual(candidatesOf('v=0\r\n', '77'), []);
});
