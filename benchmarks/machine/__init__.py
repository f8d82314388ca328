"""What a machine is made of, read from the files in which its kernel tells, each reader by itself.

A reader takes the root of the file system, so that a test can give it another machine's. What
cannot be read is None, never 0. Nothing here reads what names a person or a single machine: host
and user names, serial numbers, addresses of the network.
"""
