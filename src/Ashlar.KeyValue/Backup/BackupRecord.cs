using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Backup;

/// <summary>A file of a backup.</summary>
/// <param name="LengthBytes">Its length.</param>
/// <param name="Crc">Checksum of all of it, taken while it was copied.</param>
/// <param name="StoredName">Its name in the directory of backups; several backups may share it.</param>
/// <param name="Name">Its name in a store.</param>
readonly record struct BackupFile(long LengthBytes, uint Crc, string StoredName, string Name);

// Record of a backup, file "backup-NNNNNN", format version 1. Little-endian. Count entries follow the head.
//   0          8         12    16        32       40        48         56           64      68     72
//   +----------+---------+-----+---------+--------+---------+----------+------------+-------+------+
//   | ASHLRBAK | Version | Crc | StoreId | Number | TakenAt | Sequence | CommitTime | Count | Zero |
//   +----------+---------+-----+---------+--------+---------+----------+------------+-------+------+
// Crc covers bytes 0..12 and 16 to the end of the file. Times are microseconds since 1970 (UTC). Entry:
//   0        8     12                 14           16
//   +--------+-----+------------------+------------+--------------+--------+
//   | Length | Crc | StoredNameLength | NameLength | StoredName.. | Name.. |
//   +--------+-----+------------------+------------+--------------+--------+
sealed record BackupRecord(
    Guid StoreId, ulong Number, long TakenAt, ulong Sequence, long CommitTime, IReadOnlyList<BackupFile> Files)
    : INumberedRecord<BackupRecord>
{
    public const uint Version = 1;
    const ulong Magic = 0x4B414252_4C485341; // "ASHLRBAK"
    const int HeadBytes = 72;
    const int EntryHeadBytes = 16;

    public static string NamePrefix => "backup-";

    public static int NumberOffset => 32;

    public byte[] Encode()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream); // Little-endian on every machine.
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(0u);
        writer.Write(StoreId.ToByteArray(bigEndian: true));
        writer.Write(Number);
        writer.Write(TakenAt);
        writer.Write(Sequence);
        writer.Write(CommitTime);
        writer.Write(Files.Count);
        writer.Write(0u);
        foreach (var file in Files)
        {
            var (storedName, name) = (Encoding.ASCII.GetBytes(file.StoredName), Encoding.ASCII.GetBytes(file.Name));
            writer.Write(file.LengthBytes);
            writer.Write(file.Crc);
            writer.Write(checked((ushort)storedName.Length));
            writer.Write(checked((ushort)name.Length));
            writer.Write(storedName);
            writer.Write(name);
        }

        var bytes = stream.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="CorruptDataException">The record is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">
    /// It is not a record, or of a version that this program cannot read.
    /// </exception>
    public static BackupRecord Decode(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < HeadBytes) throw new CorruptDataException(path, 0, "the record of the backup is shorter than its head");
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw new UnsupportedFormatException(path, "this is not the record of a backup");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) != Checksum(bytes))
            throw new CorruptDataException(path, 0, "the record of the backup does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (version != Version)
            throw new UnsupportedFormatException(
                path, $"backup format version {version}; this program reads version {Version}");

        var offset = HeadBytes;
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[64..]);
        if (count < 0 || count > (bytes.Length - HeadBytes) / EntryHeadBytes) throw Wrong($"it cannot name {count} files");
        var files = new List<BackupFile>(count);
        for (var i = 0; i < count; i++)
        {
            if (bytes.Length - offset < EntryHeadBytes) throw Wrong($"it ends before file {i}");
            var head = bytes[offset..];
            var storedLength = BinaryPrimitives.ReadUInt16LittleEndian(head[12..]);
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(head[14..]);
            if (head.Length - EntryHeadBytes < storedLength + nameLength) throw Wrong($"it ends within file {i}");
            var file = new BackupFile(
                BinaryPrimitives.ReadInt64LittleEndian(head),
                BinaryPrimitives.ReadUInt32LittleEndian(head[8..]),
                Encoding.ASCII.GetString(head.Slice(EntryHeadBytes, storedLength)),
                Encoding.ASCII.GetString(head.Slice(EntryHeadBytes + storedLength, nameLength)));
            // Names become paths.
            if (file.LengthBytes < 0 || !IsPlain(file.StoredName) || !IsPlain(file.Name)) throw Wrong($"file {i} makes no sense");
            files.Add(file);
            offset += EntryHeadBytes + storedLength + nameLength;
        }

        if (offset != bytes.Length) throw Wrong("bytes follow its last file");
        return new BackupRecord(
            new Guid(bytes.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]),
            files);

        CorruptDataException Wrong(string problem) => new(path, offset, $"the record of the backup makes no sense: {problem}");
    }

    static bool IsPlain(string name) => name.Length > 0 && name[0] != '.' && !name.AsSpan().ContainsAny("/\\:\0");

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..]);
}
