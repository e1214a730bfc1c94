"""Decodes what names a function, and refuses what a recorded decoder refused."""
import json

from wazuh.core.exception import WazuhException, WazuhInternalError

# What the recorded answers are of, and functions of our own.
EXPOSED = {
    'get_security_conf', 'get_agent_groups', 'get_node_ruleset_integrity', 'get_status', 'get_agents', 'reload_ruleset', 'get_nodes_info',
    'get_health_nodes', 'check_user_master', 'get_ruleset_sync_status', 'Agent.get_agents_overview', 'get_status_json',
}
MODULES = {
    'api.authentication', 'wazuh.agent', 'wazuh.core.cluster.control', 'wazuh.manager', 'wazuh.analysis', 'wazuh.cluster', 'wazuh.core.agent',
    'wazuh.core.utils',
}
KNOWN = EXPOSED | {'get_hash'}


class Named:
    def __init__(self, given):
        self.given = given
        self.name = given['__qualname__']
        self.is_ours = given['__module__'] == 'wazuh.standin'


def as_wazuh_object(fields):
    if '__callable__' not in fields:
        return fields
    given = fields['__callable__']
    module, name = given['__module__'], given['__qualname__']
    if module.split('.')[0] not in ('wazuh', 'api'):
        raise WazuhInternalError(1000, f"Decoding callable from module '{module}' is not allowed", cmd_error=True)
    if module == 'wazuh.standin':
        return Named(given)
    if module not in MODULES:
        raise ModuleNotFoundError(f"No module named '{module}'")
    if name not in KNOWN:
        raise WazuhInternalError(1000, f'Wazuh object cannot be decoded from JSON {fields}', cmd_error=True)
    if name not in EXPOSED:
        raise WazuhInternalError(1000, f"Function '{name}' from module '{module}' is not exposed with @dapi_allower decorator", cmd_error=True)
    return Named(given)


class WazuhJSONEncoder(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, Named):
            return {'__callable__': value.given}
        if isinstance(value, WazuhException):
            return {'__wazuh_exception__': {'__class__': type(value).__name__, '__object__': value.to_dict()}}
        return super().default(value)
