// Files and folders out of a drop or an input, with their relative paths.
import type { Picked } from '../state/transfers';

export function fromInput(input: HTMLInputElement): Picked[] {
  const list = Array.from(input.files ?? []).map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  input.value = ''; // the same choice again must be a change
  return list;
}

/** readEntries gives at most 100 at a time, and nothing when it is through. */
function readAll(dir: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = dir.createReader();
  const all: FileSystemEntry[] = [];
  return new Promise((resolve) => {
    const more = () => reader.readEntries((part) => { if (!part.length) resolve(all); else { all.push(...part); more(); } }, () => resolve(all));
    more();
  });
}

async function walk(entry: FileSystemEntry, out: Picked[], depth: number): Promise<void> {
  if (out.length >= 20_000 || depth > 16) return;
  if (entry.isFile) {
    const file = await new Promise<File | null>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null)));
    if (file) out.push({ file, path: entry.fullPath.replace(/^\//, '') });
  } else if (entry.isDirectory) {
    for (const child of await readAll(entry as FileSystemDirectoryEntry)) await walk(child, out, depth + 1);
  }
}

/** Must be called within the drop event: the entries are gone afterwards. */
export async function fromDrop(data: DataTransfer): Promise<Picked[]> {
  const entries = Array.from(data.items).filter((i) => i.kind === 'file').map((i) => i.webkitGetAsEntry?.() ?? null);
  const files = Array.from(data.files);
  if (!entries.some(Boolean)) return files.map((file) => ({ file, path: file.name }));
  const out: Picked[] = [];
  for (const entry of entries) if (entry) await walk(entry, out, 0);
  return out;
}
