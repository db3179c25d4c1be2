// Drives a DICOMweb service with dicomweb-client and prints what it got:
//   node drive.mjs SERVICE FILE
// FILE is stored first; everything else asks for what the service then lists.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// dicomweb-client speaks XMLHttpRequest; this is as much of it as it uses.
globalThis.XMLHttpRequest = class {
  readyState = 0
  status = 0
  headers = {}
  responseType = ''
  open(method, url) {
    Object.assign(this, { method, url })
  }
  setRequestHeader(name, value) {
    this.headers[name] = value
  }
  getResponseHeader(name) {
    return this.got.headers.get(name)
  }
  getAllResponseHeaders() {
    return [...this.got.headers].map(([k, v]) => `${k}: ${v}\r\n`).join('')
  }
  async send(body) {
    this.got = await fetch(this.url, { method: this.method, headers: this.headers, body })
    const bytes = await this.got.arrayBuffer()
    this.status = this.got.status
    if (this.responseType === 'arraybuffer') this.response = bytes
    else if (this.responseType === 'blob') this.response = new Blob([bytes])
    else {
      this.response = new TextDecoder().decode(bytes)
      if (this.responseType === 'json' && this.response) this.response = JSON.parse(this.response)
    }
    this.readyState = 4
    this.onreadystatechange()
    this.onloadend?.()
  }
}

const { api } = createRequire(import.meta.url)('dicomweb-client')
const [url, path] = process.argv.slice(2)
const client = new api.DICOMwebClient({ url, verbose: false })
const sha = (b) => createHash('sha256').update(Buffer.from(b)).digest('hex')
const file = readFileSync(path)
const first = (o, tag) => o[tag].Value[0]

const out = { sent: sha(file) }
await client.storeInstances({ datasets: [new Uint8Array(file).buffer] })
const [study] = await client.searchForStudies({ queryParams: { PatientName: 'trao*', limit: 5, includefield: 'all' } })
const studyInstanceUID = first(study, '0020000D')
const [series] = await client.searchForSeries({ studyInstanceUID })
const seriesInstanceUID = first(series, '0020000E')
const [instance] = await client.searchForInstances({ studyInstanceUID, seriesInstanceUID })
const sopInstanceUID = first(instance, '00080018')
const at = { studyInstanceUID, seriesInstanceUID, sopInstanceUID }

out.name = first(study, '00100010').Alphabetic
out.none = (await client.searchForStudies({ queryParams: { PatientID: 'nobody' } })).length
out.instance = sha(await client.retrieveInstance(at))
out.series = (await client.retrieveSeries(at)).map(sha)
out.study = (await client.retrieveStudy(at)).map(sha)
const metadata = await client.retrieveInstanceMetadata(at)
const one = Array.isArray(metadata) ? metadata[0] : metadata
out.rows = first(one, '00280010')
out.seriesMetadata = (await client.retrieveSeriesMetadata(at)).length
out.studyMetadata = (await client.retrieveStudyMetadata(at)).length
out.frame = (await client.retrieveInstanceFrames({ ...at, frameNumbers: [1] }))[0].byteLength
out.bulk = (await client.retrieveBulkData({ BulkDataURI: one['7FE00010'].BulkDataURI }))[0].byteLength
const head = (b) => Buffer.from(Array.isArray(b) ? b[0] : b).subarray(0, 2).toString('hex')
out.rendered = head(await client.retrieveInstanceRendered(at))
out.png = head(await client.retrieveInstanceRendered({ ...at, mediaTypes: [{ mediaType: 'image/png' }], queryParams: { window: '40,400,linear', viewport: '128,128' } }))
out.frameRendered = head(await client.retrieveInstanceFramesRendered({ ...at, frameNumbers: [1], mediaTypes: [{ mediaType: 'image/jpeg' }] }))
out.thumbnail = head(await client.retrieveInstanceThumbnail(at))
try {
  await client.retrieveStudy({ studyInstanceUID: '1.2.3' })
} catch (e) {
  out.missing = e.status
}
console.log(JSON.stringify(out))
