/** A package of dpkg that has a file below a temporary directory, in a database of dpkg that is thrown away with it. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ManagerMachine } from '../../../src/programs/muster/managerMachine.js'
import { realMachine } from '../../../src/programs/muster/managerMachine.js'
import { wazuhsProgram } from './managerHome.js'

export class PackagedManager {
  readonly #root: string
  readonly #program: string

  /** `program`: the absolute path of the file that the package has. */
  constructor(root: string, program: string) {
    this.#root = root
    this.#program = program
    for (const directory of ['info', 'updates']) mkdirSync(join(this.#admin, directory), { recursive: true })
    for (const file of ['status', 'available']) writeFileSync(join(this.#admin, file), '')
  }

  get #admin(): string {
    return join(this.#root, 'dpkg')
  }

  /** For processes that are to see this database, and no other. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, DPKG_ADMINDIR: this.#admin }
  }

  /** The machine, with this database. */
  get machine(): ManagerMachine {
    return { ...realMachine, run: (program, args) => realMachine.run(program, [`--admindir=${this.#admin}`, ...args]) }
  }

  install(version: string): void {
    const files = join(this.#root, `package-${version}`)
    const file = join(files, this.#program)
    mkdirSync(dirname(file), { recursive: true })
    mkdirSync(join(files, 'DEBIAN'))
    writeFileSync(file, wazuhsProgram(version))
    chmodSync(file, 0o750)
    const control = { Package: 'pretended-manager', Version: version, Architecture: 'all', Maintainer: 'A test <test@localhost>' }
    const lines = Object.entries({ ...control, Description: 'a program of a pretended manager' }).map(
      ([name, value]) => `${name}: ${value}\n`,
    )
    writeFileSync(join(files, 'DEBIAN/control'), lines.join(''))
    const deb = join(this.#root, `${version}.deb`)
    this.#run('dpkg-deb', ['-Znone', '--build', files, deb])
    this.#run('dpkg', ['--install', deb])
  }

  remove(): void {
    this.#run('dpkg', ['--purge', 'pretended-manager'])
  }

  diversions(): string {
    return this.#run('dpkg-divert', ['--list', this.#program])
  }

  #run(program: string, args: readonly string[]): string {
    const options = program === 'dpkg' ? ['--force-not-root', '--force-unsafe-io', `--log=${join(this.#root, 'dpkg.log')}`] : []
    const { status, stderr, stdout } = spawnSync(program, [...options, ...args], { env: this.env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`)
    return stdout
  }
}
