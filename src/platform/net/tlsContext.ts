/** Certificates, keys and ciphers as Node's TLS wants them; what cannot be used is named in a sentence. */
import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ClusterError } from '../../base/errors.js'

export interface TlsTexts {
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
  readonly ciphers?: string | undefined
}

/** OpenSSL's reasons begin with codes and places: the last part is the sentence. */
const reasonOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return text.split(':').at(-1) || text
}

const checked = (what: string, use: () => unknown): void => {
  try {
    use()
  } catch (thrown) {
    throw new ClusterError('configInvalid', { message: `The ${what} cannot be used for TLS: ${reasonOf(thrown)}`, cause: thrown })
  }
}

/** Fails with `configInvalid`. */
export const contextOptions = ({ certificate, key, ca, ciphers }: TlsTexts): SecureContextOptions => {
  if (certificate !== undefined) checked('certificate', () => createSecureContext({ cert: certificate }))
  if (key !== undefined) checked('key', () => createSecureContext({ key }))
  if (certificate !== undefined && key !== undefined)
    checked('certificate and the key together', () => createSecureContext({ cert: certificate, key }))
  // A context takes any text for an authority, and then trusts nobody.
  if (ca !== undefined) checked("authority's certificate", () => new X509Certificate(ca))
  if (ciphers !== undefined) checked('list of ciphers', () => createSecureContext({ ciphers }))
  return {
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca }),
    ...(ciphers !== undefined && { ciphers }),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    honorCipherOrder: true,
    // A peer that shakes hands again and again would have a thread's time.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}
