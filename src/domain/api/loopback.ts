/** Addresses that only this machine has. */
import { addressPrefix } from '../cluster/addressPrefix.js'

export const isLoopbackAddress = (address: string): boolean => /^127\./.test(addressPrefix(address)) || /^(0*:)+0*1$/.test(address)
