"""Exceptions with the fields that recorded ones have."""


class WazuhException(Exception):
    title = 'Bad Request'

    def __init__(self, code, extra_message=None, cmd_error=False):
        super().__init__(code)
        self.code = code
        self.extra_message = extra_message
        self.cmd_error = cmd_error

    def to_dict(self):
        return {
            'type': 'about:blank',
            'title': self.title,
            'code': self.code,
            'extra_message': self.extra_message,
            'extra_remediation': None,
            'cmd_error': self.cmd_error,
            'dapi_errors': {},
        }


class WazuhInternalError(WazuhException):
    title = 'Wazuh Internal Error'
