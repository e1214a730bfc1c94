/** A disk that reports what a node changes on it, before the change is made; what a fault plan changes goes around it. */
import { ForwardingDisk } from '../../disk/kit/forwardingDisk.js'
import type { Disk } from '../../ports/files.js'
import type { DiskChanges } from './memoryDisk.js'

export interface DiskChange {
  readonly operation: 'write' | 'chmod' | 'mkdir' | 'rename' | 'unlink' | 'rmdir'
  readonly path: string
  /** Of a rename: where the file was. */
  readonly from?: string
}

export class WatchedDisk extends ForwardingDisk<Disk & DiskChanges> implements DiskChanges {
  readonly #watches = new Set<() => void>()
  readonly #onChange: (change: DiskChange) => void

  constructor(disk: Disk & DiskChanges, onChange: (change: DiskChange) => void) {
    super(disk)
    this.#onChange = onChange
  }

  /** Of every change, the operator's too: what a file watcher sees. */
  onChange(listener: (path: string) => void): () => void {
    const stop = this.disk.onChange(listener)
    this.#watches.add(stop)
    return () => {
      this.#watches.delete(stop)
      stop()
    }
  }

  named(of: string | number): string {
    return this.disk.named(of)
  }

  get version(): number | undefined {
    return this.disk.version
  }

  /** The process that used it is gone: the system no longer calls it. */
  abandon(): void {
    for (const stop of this.#watches) stop()
    this.#watches.clear()
  }

  override open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number {
    if (flags !== 'r') this.#onChange({ operation: 'write', path: this.named(path) })
    return this.disk.open(path, flags, mode)
  }

  override chmod(file: number, mode: number): void {
    this.#onChange({ operation: 'chmod', path: this.named(file) })
    this.disk.chmod(file, mode)
  }

  override mkdir(path: string, mode: number): void {
    this.#onChange({ operation: 'mkdir', path: this.named(path) })
    this.disk.mkdir(path, mode)
  }

  override rename(from: string, to: string): void {
    this.#onChange({ operation: 'rename', path: this.named(to), from: this.named(from) })
    this.disk.rename(from, to)
  }

  override unlink(path: string): void {
    this.#onChange({ operation: 'unlink', path: this.named(path) })
    this.disk.unlink(path)
  }

  override rmdir(path: string): void {
    this.#onChange({ operation: 'rmdir', path: this.named(path) })
    this.disk.rmdir(path)
  }
}
