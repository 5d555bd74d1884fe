using System.Buffers.Binary;

namespace Ashlar.Volumes;

/// <summary>What the store says of the log of recent writes, in the batches of commits.</summary>
/// <param name="Needed">The sequence that the log had come to: with less of it, it has lost some of itself, and none of it counts.</param>
/// <param name="Floor">All records up to this one are over: the store has what they say.</param>
readonly record struct RecentMark(ulong Needed, ulong Floor)
{
    const int SizeBytes = 2 * sizeof(ulong);

    /// <summary>Takes it from the store; of none, that nothing is needed.</summary>
    public static RecentMark Read(byte[]? value) => value is { Length: SizeBytes }
        ? new(BinaryPrimitives.ReadUInt64LittleEndian(value), BinaryPrimitives.ReadUInt64LittleEndian(value.AsSpan(sizeof(ulong))))
        : default;

    public byte[] ToBytes()
    {
        var value = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(value, Needed);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(sizeof(ulong)), Floor);
        return value;
    }
}
