/** Certificates of the HTTP service, read at each start: what was renewed is taken then. */
import { readFile, stat } from 'node:fs/promises'
import type { ServerOptions } from 'node:https'
import { resolve } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { ApiOptions } from '../../ports/api.js'
import { readCertificates } from '../certificates/readCertificates.js'
import { contextOptions } from '../net/tlsContext.js'

type Paths = Pick<ApiOptions, 'home' | 'certificatePath' | 'keyPath' | 'clientCaPath'>

const load = async (home: string, path: string, option: string): Promise<string> => {
  const whole = resolve(home, path)
  try {
    const { size } = await stat(whole)
    if (size > limits.apiFileBytesMax) throw new Error(`it is larger than ${limits.apiFileBytesMax} bytes`)
    return await readFile(whole, 'utf8')
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new ClusterError('configInvalid', { message: `${whole} (api.${option}) cannot be read: ${why}`, cause: thrown })
  }
}

/** What the certificate says that clients are shown; undefined without one. Fails with `configInvalid`. */
export const certificateOf = async ({
  certificatePath,
  home,
}: Paths): Promise<{ readonly name: string; readonly endsMs: number } | undefined> => {
  if (certificatePath === undefined) return undefined
  const [own] = readCertificates(await load(home, certificatePath, 'certificate'), `${resolve(home, certificatePath)} (api.certificate)`)
  return own && { name: own.commonName, endsMs: own.endsMs }
}

/** Undefined without a certificate: the service speaks plain HTTP. Fails with `configInvalid`. */
export const loadTls = async ({ certificatePath, clientCaPath, home, keyPath }: Paths): Promise<ServerOptions | undefined> => {
  if (certificatePath === undefined || keyPath === undefined) return undefined
  const ca = clientCaPath === undefined ? undefined : await load(home, clientCaPath, 'client_ca')
  return {
    ...contextOptions({ certificate: await load(home, certificatePath, 'certificate'), key: await load(home, keyPath, 'key'), ca }),
    ...(ca !== undefined && { requestCert: true, rejectUnauthorized: true }),
    handshakeTimeout: limits.apiHeadersMsMax,
    ALPNProtocols: ['http/1.1'],
  }
}
