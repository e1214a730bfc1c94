/** Node's tls lacks createSecureContext where a certificate was read before it was loaded, as a spec may do that ran earlier in this process. */
import 'node:tls'
