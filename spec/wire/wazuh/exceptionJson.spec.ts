/** Errors as Wazuh's clients in Python take them: with a number that they know. */
import { describe, expect, it } from 'vitest'
import { ClusterError, type ErrorCode, errorTable } from '../../../src/base/errors.js'
import { bytesText } from '../../../src/wire/wazuh/bytesText.js'
import { exceptionJson, isExceptionJson } from '../../../src/wire/wazuh/exceptionJson.js'

const objectOf = (error: ClusterError) => JSON.parse(exceptionJson(error)).__wazuh_exception__

describe('an error as an exception of Wazuh', () => {
  it('is what a real master answers, field by field', () => {
    const recorded =
      '{"__wazuh_exception__": {"__class__": "WazuhInternalError", "__object__": {"type": "about:blank", "title": "Wazuh Internal Error", "code": 1000, "extra_message": "b\'77\'", "extra_remediation": null, "cmd_error": false, "dapi_errors": {}}}}'
    expect(JSON.parse(exceptionJson(new ClusterError('malformed', { message: bytesText('77') })))).toEqual(JSON.parse(recorded))
  })

  it("has a number of Wazuh's cluster, or is its internal error and says what happened", () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const { __class__: kind, __object__: object } = objectOf(new ClusterError(code))
      const { number, says } = errorTable[code]
      if (number >= 3000 && number < 3100) expect([kind, object.code, object.extra_message]).toEqual(['WazuhClusterError', number, null])
      else expect([kind, object.code, object.extra_message]).toEqual(['WazuhInternalError', 1000, says])
      expect(objectOf(new ClusterError(code, { message: 'special' })).__object__.extra_message).toBe('special')
      expect(isExceptionJson(exceptionJson(new ClusterError(code)))).toBe(true)
    }
  })

  it('is distinguished from any other text', () => {
    for (const text of ['', 'x', '{"__wazuh_exception__":{', '{"a":{"__wazuh_exception__":{}}}', 'null', '{"__wazuh_exception__":1}'])
      expect([text, isExceptionJson(text)]).toEqual([text, false])
  })
})

it('bytes are shown as Python shows them', () => {
  expect(bytesText('nosuch')).toBe("b'nosuch'")
  expect(bytesText('echo\0\0')).toBe("b'echo\\x00\\x00'")
  expect(bytesText('a\'b"c\\\t\n\r\x7f\xff')).toBe("b'a\\'b\"c\\\\\\t\\n\\r\\x7f\\xff'")
  expect(bytesText("a'b")).toBe('b"a\'b"')
})
