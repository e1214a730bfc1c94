/** Another program with databases of its own: a process that holds them open and writes to them, and copies that no other program sees. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Writes a row to each of the files that it is given at every line of its input, and says how many there are. */
const program = `
import { createInterface } from 'node:readline'
import Database from 'libsql'
const databases = process.argv.slice(1).map((path) => new Database(path))
for (const database of databases)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE agent (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE belongs (id INTEGER)')
const lines = createInterface({ input: process.stdin })
console.log('open')
for await (const line of lines) {
  if (line === 'end') for (const database of databases) database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  else for (const database of databases) database.exec("INSERT INTO agent (name) VALUES ('" + line + "')")
  const counts = databases.map((database) => database.prepare('SELECT count(*) FROM agent').raw().get()[0])
  const sound = databases.map((database) => database.prepare('PRAGMA integrity_check').raw().get()[0])
  console.log(JSON.stringify([counts, sound]))
}
`

export class ForeignOwner {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  readonly #ended: Promise<unknown>

  /** The files must not be there yet; their directories must. */
  constructor(paths: readonly string[]) {
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', program, ...paths], { cwd: repository })
    this.#ended = once(this.#child, 'close')
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async opened(): Promise<void> {
    await this.#answers.next()
  }

  /** Writes a row to each database; resolves with the rows that each has then, and what a check of each says. */
  async write(row: string): Promise<unknown> {
    this.#child.stdin.write(`${row}\n`)
    const { value } = await this.#answers.next()
    return JSON.parse(String(value))
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    await this.#ended
  }
}

/** All that an owner can see of the files in a directory of its own. */
export const seenIn = (directory: string) =>
  readdirSync(directory).map((name) => {
    const path = join(directory, name)
    const { ctimeNs, gid, ino, mode, mtimeNs, uid } = statSync(path, { bigint: true })
    return { name, content: readFileSync(path).toString('latin1'), ctimeNs, gid, ino, mode, mtimeNs, uid }
  })
