/** Errors as Wazuh's programs in Python take them: the JSON of an exception of theirs. */
import { Type } from 'typebox'
import { type ClusterError, errorTable, firstOwnNumber } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { shapeOf } from '../../base/shapeOf.js'

/** Exceptions whose number Wazuh's clients do not know make them fail themselves. */
const firstClusterNumber = 3000
const internalNumber = 1000

/** Numbers that are not those of Wazuh's cluster become its internal error, and say what happened in its message. */
export const exceptionJson = (error: ClusterError): string => {
  const { code, message, number } = error
  const isOfCluster = number >= firstClusterNumber && number < firstOwnNumber
  const isSpecial = message !== errorTable[code].says
  return JSON.stringify({
    __wazuh_exception__: {
      __class__: isOfCluster ? 'WazuhClusterError' : 'WazuhInternalError',
      __object__: {
        type: 'about:blank',
        title: isOfCluster ? 'Wazuh Cluster Error' : 'Wazuh Internal Error',
        code: isOfCluster ? number : internalNumber,
        extra_message: isOfCluster && !isSpecial ? null : message,
        extra_remediation: null,
        cmd_error: false,
        dapi_errors: {},
      },
    },
  })
}

const exception = shapeOf(Type.Object({ __wazuh_exception__: Type.Object({}) }), 64)

export const isExceptionJson = (text: string): boolean => parsedJson(text, exception, 'An exception').ok
