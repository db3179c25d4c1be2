// A cart at the DICOM port, played by dcmtk's tools.
import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const uid = () => '2.25.' + BigInt('0x' + crypto.randomUUID().replaceAll('-', '')).toString()

/** A CT slice with a ramp of grey, made by dcmtk. */
export function makeSlice(folder, name, o = {}) {
  const raw = path.join(folder, 'ramp.raw'), dump = path.join(folder, `${name}.dump`), file = path.join(folder, `${name}.dcm`)
  writeFileSync(raw, Buffer.from(Uint16Array.from({ length: 64 * 64 }, (_, i) => (i % 64) * 16 + (o.shade ?? 0)).buffer))
  const sop = o.sop ?? uid()
  writeFileSync(dump, `
(0002,0010) UI =LittleEndianExplicit
(0008,0005) CS [ISO_IR 192]
(0008,0016) UI [1.2.840.10008.5.1.4.1.1.2]
(0008,0018) UI [${sop}]
(0008,0020) DA [20260304]
(0008,0030) TM [101500]
(0008,0050) SH [${o.accession ?? ''}]
(0008,0060) CS [CT]
(0008,1030) LO [${o.description ?? 'Crâne'}]
(0010,0010) PN [${o.patient ?? 'KEITA^OUMOU'}]
(0010,0020) LO [K-77]
(0010,0030) DA [19950101]
(0010,0040) CS [${o.sex ?? 'F'}]
(0020,000d) UI [${o.study ?? uid()}]
(0020,000e) UI [${o.series ?? uid()}]
(0020,0013) IS [1]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 64
(0028,0011) US 64
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
(7fe0,0010) OW =${raw}
`)
  execFileSync('dump2dcm', [dump, file])
  return { file, sop }
}

const node = server => ['127.0.0.1', String(server.dicomPort)]

/** C-STORE as a cart does it; answers what the tool said. */
export async function send(server, aet, ...files) {
  try {
    const { stdout, stderr } = await run('storescu', ['-v', '-aet', aet, '-aec', 'SIRA', ...node(server), ...files])
    return stdout + stderr
  } catch (e) { return e.stdout + e.stderr }
}

/** The worklist of a cart: accession number, patient, study UID, description, modality of each entry. */
export async function readWorklist(server, aet) {
  const keys = ['AccessionNumber', 'PatientName', 'StudyInstanceUID', 'RequestedProcedureDescription', '(0040,0100)[0].Modality', '(0040,0100)[0].ScheduledStationAETitle']
  const { stdout, stderr } = await run('findscu', ['-v', '-W', '-aet', aet, '-aec', 'SIRA', ...keys.flatMap(k => ['-k', k]), ...node(server)])
  const entries = (stdout + stderr).split(/Find Response[: ]+\d+ \(Pending\)/).slice(1)
  const value = (text, tag) => text.match(new RegExp(`\\(${tag}\\)[^\\[]*\\[([^\\]]*)\\]`))?.[1]?.trim() ?? ''
  return entries.map(e => ({ accession: value(e, '0008,0050'), patient: value(e, '0010,0010'), study: value(e, '0020,000d').replace(/\0/g, ''),
    description: value(e, '0032,1060'), modality: value(e, '0008,0060'), station: value(e, '0040,0001') }))
}

/** Real pictures of the demo as another study of another patient, as files. */
export async function copyStudy(server, user, c, folder, n, changes) {
  const series = c.series.find(s => s.kind === 'image')
  const manifest = (await server.api(user, 'GET', `/api/cases/${c.id}/series/${series.seriesUID}`)).body
  const study = uid(), to = uid(), files = []
  const middle = Math.max(0, Math.floor((manifest.instances.length - n) / 2))
  for (const [i, instance] of manifest.instances.slice(middle, middle + n).entries()) {
    const r = await fetch(`${server.url}/api/cases/${c.id}/instances/${instance.sop}/file`, { headers: { authorization: `Bearer ${user.token}` } })
    const file = path.join(folder, `${to.slice(-12)}-${i}.dcm`)
    writeFileSync(file, Buffer.from(await r.arrayBuffer()))
    // storescu offers no compression unless it is told to.
    if (/^1\.2\.840\.10008\.1\.2\.4\.(5\d|70)$/.test(instance.syntax)) execFileSync('dcmdjpeg', [file, file])
    const set = { StudyInstanceUID: study, SeriesInstanceUID: to, SOPInstanceUID: uid(), AccessionNumber: '', ...changes }
    execFileSync('dcmodify', ['-nb', ...Object.entries(set).flatMap(([k, v]) => ['-i', `${k}=${v}`]), file])
    files.push(file)
  }
  return files
}
