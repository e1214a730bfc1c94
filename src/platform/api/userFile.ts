/** The file of users, `etc/muster-api-users.json`: read whenever it has changed, written whole or not at all. */
import type { Stats } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type ApiUser, parseUsers, usersPath, usersText } from '../../domain/api/apiUsers.js'

export interface UserStore {
  /** The current ones. Fails with `configInvalid` when the file cannot be used. */
  users(): Promise<readonly ApiUser[]>
}

const mode = 0o640

const invalid = (message: string, cause?: unknown): ClusterError => new ClusterError('configInvalid', { message, cause })

const says = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const isAbsent = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'

const statOf = async (path: string): Promise<Stats | undefined> => {
  try {
    return await stat(path)
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined
    throw invalid(`${path} cannot be read: ${says(thrown)}`, thrown)
  }
}

export class UserFile implements UserStore {
  readonly path: string
  #version = ''
  #users: readonly ApiUser[] = []

  constructor(home: string) {
    this.path = join(home, usersPath)
  }

  async users(): Promise<readonly ApiUser[]> {
    const found = await statOf(this.path)
    if (!found) {
      this.#version = ''
      return []
    }
    const version = `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`
    if (version === this.#version) return this.#users
    this.#users = await this.#read(found)
    this.#version = version
    return this.#users
  }

  /** All of them, in place of those that there were. The file belongs to whom the directory belongs. */
  async write(users: readonly ApiUser[]): Promise<void> {
    const unfinished = `${this.path}.new`
    let file: FileHandle | undefined
    try {
      await rm(unfinished, { force: true })
      file = await open(unfinished, 'wx', mode)
      await file.chmod(mode)
      await file.writeFile(usersText(users))
      await file.sync()
      await this.#give(file)
      await rename(unfinished, this.path)
    } catch (thrown) {
      throw new ClusterError('fileFailed', { message: `${this.path} cannot be written: ${says(thrown)}`, cause: thrown })
    } finally {
      await file?.close()
    }
    const directory = await open(dirname(this.path), 'r')
    await directory.sync().finally(() => directory.close())
  }

  async #read(found: Stats): Promise<readonly ApiUser[]> {
    if (!found.isFile() || found.size > limits.apiFileBytesMax)
      throw invalid(`${this.path} is not a file of at most ${limits.apiFileBytesMax} bytes`)
    let text: string
    try {
      text = await readFile(this.path, 'utf8')
    } catch (thrown) {
      throw invalid(`${this.path} cannot be read: ${says(thrown)}`, thrown)
    }
    const parsed = parseUsers(text)
    if (!parsed.ok) throw invalid(`${this.path}: ${parsed.error.message}`)
    return parsed.value
  }

  /** The daemon must be able to read what root writes: the file gets the owner and the group of the one before it, else those of its directory. */
  async #give(file: FileHandle): Promise<void> {
    if (process.geteuid?.() !== 0) return
    const { gid, uid } = (await statOf(this.path)) ?? (await stat(dirname(this.path)))
    await file.chown(uid, gid)
  }
}
