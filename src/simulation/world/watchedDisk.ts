/** A disk that reports what a node changes on it, before the change is made; what a fault plan changes goes around it. */
import type { Disk, DiskEntry, DiskStat } from '../../ports/files.js'
import type { DiskChanges } from './memoryDisk.js'

export interface DiskChange {
  readonly operation: 'write' | 'chmod' | 'mkdir' | 'rename' | 'unlink' | 'rmdir'
  readonly path: string
  /** Of a rename: where the file was. */
  readonly from?: string
}

export class WatchedDisk implements Disk, DiskChanges {
  readonly #disk: Disk & DiskChanges
  readonly #watches = new Set<() => void>()
  readonly #onChange: (change: DiskChange) => void

  constructor(disk: Disk & DiskChanges, onChange: (change: DiskChange) => void) {
    this.#disk = disk
    this.#onChange = onChange
  }

  /** Of every change, the operator's too: what a file watcher sees. */
  onChange(listener: (path: string) => void): () => void {
    const stop = this.#disk.onChange(listener)
    this.#watches.add(stop)
    return () => {
      this.#watches.delete(stop)
      stop()
    }
  }

  named(of: string | number): string {
    return this.#disk.named(of)
  }

  /** The process that used it is gone: the system no longer tells it anything. */
  abandon(): void {
    for (const stop of this.#watches) stop()
    this.#watches.clear()
  }

  now(): number {
    return this.#disk.now()
  }

  lstat(path: string): DiskStat {
    return this.#disk.lstat(path)
  }

  stat(path: string): DiskStat {
    return this.#disk.stat(path)
  }

  realpath(path: string): string {
    return this.#disk.realpath(path)
  }

  readdir(path: string): readonly DiskEntry[] {
    return this.#disk.readdir(path)
  }

  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number {
    if (flags !== 'r') this.#onChange({ operation: 'write', path: this.named(path) })
    return this.#disk.open(path, flags, mode)
  }

  fstat(file: number): DiskStat {
    return this.#disk.fstat(file)
  }

  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#disk.read(file, into, offset, length, position)
  }

  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#disk.write(file, from, offset, length, position)
  }

  truncate(file: number, size: number): void {
    this.#disk.truncate(file, size)
  }

  sync(file: number): void {
    this.#disk.sync(file)
  }

  close(file: number): void {
    this.#disk.close(file)
  }

  openDirectory(path: string): number {
    return this.#disk.openDirectory(path)
  }

  heldPath(directory: number): string {
    return this.#disk.heldPath(directory)
  }

  chmod(file: number, mode: number): void {
    this.#onChange({ operation: 'chmod', path: this.named(file) })
    this.#disk.chmod(file, mode)
  }

  keepOwner(file: number, of: number): void {
    this.#disk.keepOwner(file, of)
  }

  mkdir(path: string, mode: number): void {
    this.#onChange({ operation: 'mkdir', path: this.named(path) })
    this.#disk.mkdir(path, mode)
  }

  rename(from: string, to: string): void {
    this.#onChange({ operation: 'rename', path: this.named(to), from: this.named(from) })
    this.#disk.rename(from, to)
  }

  unlink(path: string): void {
    this.#onChange({ operation: 'unlink', path: this.named(path) })
    this.#disk.unlink(path)
  }

  rmdir(path: string): void {
    this.#onChange({ operation: 'rmdir', path: this.named(path) })
    this.#disk.rmdir(path)
  }
}
