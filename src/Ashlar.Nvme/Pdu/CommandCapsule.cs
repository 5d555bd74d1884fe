namespace Ashlar.Nvme;

// Command Capsule, CapsuleCmd (NVMe/TCP Transport 1.0, 3.6.2.8): a submission queue entry, and perhaps the data of its command.
//   0               8                          72
//   +---------------+--------------------------+--------+---------+------+--------+
//   | common header | submission queue entry   | HDGST  | padding | data | DDGST  |
//   +---------------+--------------------------+--------+---------+------+--------+
static class CommandCapsule
{
    public const int EntryOffset = PduHeader.SizeBytes;
    public const int HeaderBytes = EntryOffset + SubmissionEntry.SizeBytes;
}
