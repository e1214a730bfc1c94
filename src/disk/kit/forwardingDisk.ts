/** A disk that passes every call on to another: for disks that change or watch some of the calls. */
import type { Disk, DiskEntry, DiskStat } from '../../ports/files.js'

export class ForwardingDisk<D extends Disk = Disk> implements Disk {
  protected readonly disk: D

  constructor(disk: D) {
    this.disk = disk
  }

  now(): number {
    return this.disk.now()
  }

  lstat(path: string): DiskStat {
    return this.disk.lstat(path)
  }

  stat(path: string): DiskStat {
    return this.disk.stat(path)
  }

  realpath(path: string): string {
    return this.disk.realpath(path)
  }

  readdir(path: string): readonly DiskEntry[] {
    return this.disk.readdir(path)
  }

  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number {
    return this.disk.open(path, flags, mode)
  }

  fstat(file: number): DiskStat {
    return this.disk.fstat(file)
  }

  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number {
    return this.disk.read(file, into, offset, length, position)
  }

  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number {
    return this.disk.write(file, from, offset, length, position)
  }

  truncate(file: number, size: number): void {
    this.disk.truncate(file, size)
  }

  sync(file: number): void {
    this.disk.sync(file)
  }

  close(file: number): void {
    this.disk.close(file)
  }

  openDirectory(path: string): number {
    return this.disk.openDirectory(path)
  }

  heldPath(directory: number): string {
    return this.disk.heldPath(directory)
  }

  chmod(file: number, mode: number): void {
    this.disk.chmod(file, mode)
  }

  keepOwner(file: number, of: number): void {
    this.disk.keepOwner(file, of)
  }

  mkdir(path: string, mode: number): void {
    this.disk.mkdir(path, mode)
  }

  rename(from: string, to: string): void {
    this.disk.rename(from, to)
  }

  unlink(path: string): void {
    this.disk.unlink(path)
  }

  rmdir(path: string): void {
    this.disk.rmdir(path)
  }
}
