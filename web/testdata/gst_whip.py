#!/usr/bin/python3
"""A device of GStreamer's webrtcbin: publishes a test picture and sound by WHIP
(RFC 9725), or watches by WHEP (draft-ietf-wish-whep).

    gst_whip.py whip|whep URL [CODEC]

The bearer token is SIRA_TOKEN. What happens is written to the standard output,
one JSON object a line; "end" on the standard input leaves the call. The program
ends with its standard input.
"""
import json
import os
import queue
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

FRAGMENT = "application/trickle-ice-sdpfrag"
SOUND = "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2"

# A cart's picture is one colour here, so that whoever decodes it knows it.
PICTURE = "videotestsrc is-live=true pattern=red ! video/x-raw,width=320,height=240,framerate=15/1"
ENCODED = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=300 target-bitrate=150000 ! rtpvp8pay picture-id-mode=15-bit",
    "VP9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=300 target-bitrate=150000 ! rtpvp9pay picture-id-mode=15-bit",
    "H264": "openh264enc bitrate=150000 gop-size=300 ! video/x-h264,profile=constrained-baseline"
            " ! h264parse config-interval=-1 ! rtph264pay aggregate-mode=zero-latency config-interval=-1",
}
DECODED = {
    "VP8": "rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB",
    "VP9": "rtpvp9depay ! vp9dec ! videoconvert ! video/x-raw,format=RGB",
    "OPUS": "rtpopusdepay ! opusdec",
}


def say(**what):
    print(json.dumps(what), flush=True)


class Device:
    def __init__(self, way, url, codec):
        self.url, self.token = url, os.environ["SIRA_TOKEN"]
        self.at = self.tag = self.offer = None
        self.candidates = []  # that were found before there was anyone to tell
        self.work = queue.Queue()  # what waits for an HTTP exchange
        self.counts = {"audio": 0, "video": 0}
        self.colour = None
        if way == "whip":
            self.pipe = Gst.parse_launch(
                "webrtcbin name=w bundle-policy=max-bundle "
                f"{PICTURE} ! {ENCODED[codec]} ! application/x-rtp,media=video,encoding-name={codec},payload=96 ! w. "
                f"audiotestsrc is-live=true ! opusenc ! rtpopuspay ! {SOUND} ! w. ")
        else:
            self.pipe = Gst.Pipeline.new()
            rtc = Gst.ElementFactory.make("webrtcbin", "w")
            rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipe.add(rtc)
        self.rtc = self.pipe.get_by_name("w")
        if way == "whep":
            only = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            picture = f"application/x-rtp,media=video,encoding-name={codec},payload=96,clock-rate=90000"
            for caps in (picture, SOUND):
                self.rtc.emit("add-transceiver", only, Gst.Caps.from_string(caps))
            self.rtc.connect("pad-added", self.play)
        self.rtc.connect("on-negotiation-needed", lambda _: self.make_offer())
        self.rtc.connect("on-ice-candidate", lambda _, line, c: self.work.put(lambda: self.trickle(c)))
        self.rtc.connect("notify::ice-connection-state", self.changed)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, m: self.fail(m.parse_error()[0].message))

    def changed(self, *_):
        say(event="ice", state=self.rtc.get_property("ice-connection-state").value_nick)

    def fail(self, why):
        say(event="error", why=str(why))
        os._exit(1)

    def request(self, method, url, body=None, **headers):
        """One HTTP exchange: status, headers, body."""
        r = urllib.request.Request(url, method=method, data=body.encode() if body is not None else None)
        r.add_header("Authorization", "Bearer " + self.token)
        for name, value in headers.items():
            r.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(r, timeout=20) as a:
                return a.status, a.headers, a.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def make_offer(self):
        def made(promise, *_):
            reply = promise.get_reply()  # owns the offer
            offer = reply["offer"]
            self.offer = offer.sdp.as_text()
            self.rtc.emit("set-local-description", offer, Gst.Promise.new())
            self.work.put(self.post)
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(made))

    def post(self):
        status, headers, body = self.request("POST", self.url, self.offer, Content_Type="application/sdp")
        say(event="post", status=status, offer=self.offer, answer=body)
        if status != 201:
            self.fail(f"POST: {status} {body}")
        self.at, self.tag = urllib.parse.urljoin(self.url, headers["Location"]), headers["ETag"]
        self.accept(body)
        waiting, self.candidates = self.candidates, []
        for c in waiting:
            self.trickle(c)

    def accept(self, sdp):
        _, parsed = GstSdp.SDPMessage.new_from_text(sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, parsed)
        self.rtc.emit("set-remote-description", answer, Gst.Promise.new())

    def fragment(self, text, candidates):
        """The part of a description that RFC 8840 sends."""
        first = text.split("\r\nm=", 2)[1].splitlines()[0]
        value = lambda key: re.search(rf"^a={key}:(.*?)\r?$", text, re.M).group(1)  # noqa: E731
        return "".join(line + "\r\n" for line in [
            "a=ice-ufrag:" + value("ice-ufrag"), "a=ice-pwd:" + value("ice-pwd"),
            "m=" + first, "a=mid:" + value("mid"), *("a=" + c for c in candidates)])

    def trickle(self, candidate):
        if self.at is None:
            self.candidates.append(candidate)
            return
        body = self.fragment(self.offer, [candidate])
        status, _, _ = self.request("PATCH", self.at, body, Content_Type=FRAGMENT, If_Match=self.tag)
        say(event="trickle", status=status)

    def end(self):
        status, _, _ = self.request("DELETE", self.at)
        say(event="end", status=status)
        self.pipe.set_state(Gst.State.NULL)
        os._exit(0)

    def play(self, _, pad):
        """Decodes what arrives and counts it."""
        caps = pad.get_current_caps()[0]
        kind = caps["media"]
        bin = Gst.parse_bin_from_description(DECODED[caps["encoding-name"]] + " ! fakesink name=out signal-handoffs=true sync=false", True)
        bin.get_by_name("out").connect("handoff", self.decoded, kind)
        self.pipe.add(bin)
        bin.sync_state_with_parent()
        pad.link(bin.sinkpads[0])

    def decoded(self, _, buffer, _pad, kind):
        self.counts[kind] += 1
        n = self.counts[kind]
        if n % 10 == 0 or n == 1:
            middle = buffer.get_size() // 6 * 3
            pixel = list(buffer.extract_dup(middle, 3)) if kind == "video" else None
            say(event="decoded", kind=kind, buffers=n, pixel=pixel)

    def run(self):
        def serve():
            while True:
                try:
                    self.work.get()()
                except Exception as e:  # a thread that dies unseen would hang the test
                    self.fail(repr(e))

        def listen():
            for line in sys.stdin:
                if line.strip() == "end":
                    self.work.put(self.end)
            os._exit(0)

        for f in (serve, listen):
            threading.Thread(target=f, daemon=True).start()
        self.pipe.set_state(Gst.State.PLAYING)
        GLib.MainLoop().run()


Gst.init(None)
say(event="start", version=Gst.version_string())
Device(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "VP8").run()
