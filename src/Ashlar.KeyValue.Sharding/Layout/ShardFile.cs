using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Layout;

// File SHARDS, format version 1. Little-endian. It says what a sharded store consists of, and never changes.
//   0       8         12    16        32           34     35     36             38             40     48
//   +-------+---------+-----+---------+------------+------+------+--------------+--------------+------+-----------+
//   | Magic | Version | Crc | StoreId | ShardCount | Hash | Zero | HashedPrefix | SaltedLength | Zero | ShardId.. |
//   +-------+---------+-----+---------+------------+------+------+--------------+--------------+------+-----------+
// Crc covers bytes 0..12 and 16 to the end. ShardCount identities of 16 bytes follow the head, then SaltedLength bytes.
/// <summary>The content of the file SHARDS.</summary>
/// <param name="StoreId">Identity of the whole.</param>
/// <param name="HashedPrefixBytes">How much of a key decides on its shard; 0 is all of it.</param>
/// <param name="SaltedPrefix">Keys that begin with this have a copy in every shard; none if empty.</param>
/// <param name="ShardIds">Identity of each shard's store, in order: one that was swapped or replaced is noticed.</param>
sealed record ShardFile(Guid StoreId, int HashedPrefixBytes, byte[] SaltedPrefix, Guid[] ShardIds)
{
    public const string Name = "SHARDS"; // Known to the engine too, which makes no store of its own beside it.
    public const string NewName = "SHARDS.new";
    public const int HeadBytes = 48;
    public const int MaxShards = 256;
    public const int LongestPrefixBytes = 1024;
    const int MaxBytes = HeadBytes + 16 * MaxShards + LongestPrefixBytes;
    const uint Version = 1;
    const byte Hash = 1;
    const ulong Magic = 0x4448_5352_4C48_5341; // "ASHLRSHD"

    public byte[] Encode()
    {
        var bytes = new byte[HeadBytes + 16 * ShardIds.Length + SaltedPrefix.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        StoreId.TryWriteBytes(bytes.AsSpan(16), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(32), checked((ushort)ShardIds.Length));
        bytes[34] = Hash;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(36), checked((ushort)HashedPrefixBytes));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(38), checked((ushort)SaltedPrefix.Length));
        for (var i = 0; i < ShardIds.Length; i++)
            ShardIds[i].TryWriteBytes(bytes.AsSpan(HeadBytes + 16 * i), bigEndian: true, out _);
        SaltedPrefix.CopyTo(bytes, HeadBytes + 16 * ShardIds.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads the content of the file.</summary>
    /// <exception cref="CorruptDataException">The file is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">It is none of ours, or of another version.</exception>
    public static ShardFile Decode(ReadOnlySpan<byte> source, string path)
    {
        if (source.Length < HeadBytes) throw new CorruptDataException(path, 0, "the file is shorter than its head");
        if (BinaryPrimitives.ReadUInt64LittleEndian(source) != Magic)
            throw new UnsupportedFormatException(path, "this is not the list of a sharded store's shards");
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != Checksum(source))
            throw new CorruptDataException(path, 0, "the checksum does not hold");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version || source[34] != Hash)
            throw new UnsupportedFormatException(
                path, $"shard list version {version} with hash {source[34]}; this program reads version {Version} with hash {Hash}");
        int count = BinaryPrimitives.ReadUInt16LittleEndian(source[32..]);
        int saltedLength = BinaryPrimitives.ReadUInt16LittleEndian(source[38..]);
        if (count is < 1 or > MaxShards || source.Length != HeadBytes + 16 * count + saltedLength
            || source[35] != 0 || source[40..HeadBytes].ContainsAnyExcept((byte)0))
        {
            throw new CorruptDataException(path, 32, $"{count} shards do not go with a file of {source.Length} bytes");
        }

        var ids = new Guid[count];
        for (var i = 0; i < count; i++) ids[i] = new Guid(source.Slice(HeadBytes + 16 * i, 16), bigEndian: true);
        return new ShardFile(
            new Guid(source.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt16LittleEndian(source[36..]),
            source[(HeadBytes + 16 * count)..].ToArray(),
            ids);
    }

    public static ShardFile Read(IFileSystem fileSystem, string path)
    {
        using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[MaxBytes + 1];
        var length = file.Read(bytes, 0);
        if (length > MaxBytes) throw new CorruptDataException(path, 0, $"the file is longer than {MaxBytes} bytes");
        return Decode(bytes.AsSpan(0, length), path);
    }

    // Crash order: the directory is a sharded store if and only if SHARDS is in it.
    //   1. The shards are there, durable (see ShardDirectory.Create).
    //   2. Write SHARDS.new, sync it.        Crash: a leftover, overwritten next time.
    //   3. Rename it, sync the directory.    Crash: all or nothing.
    public void Write(IFileSystem fileSystem, string directory)
    {
        using (var file = fileSystem.Open($"{directory}/{NewName}", FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0);
            file.Write(Encode(), 0);
            file.Sync();
        }

        fileSystem.Rename($"{directory}/{NewName}", $"{directory}/{Name}");
        fileSystem.SyncDirectory(directory);
    }

    static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Append(Crc32C.Compute(bytes[..12]), bytes[16..]);
}
