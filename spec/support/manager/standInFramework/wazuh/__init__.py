"""Stands in for Wazuh's framework: the names that the API bridge uses of it, with recorded answers. There is no code of Wazuh in it."""
