using System.Buffers.Binary;

namespace Ashlar.Files;

/// <summary>Which uploads in parts are listed.</summary>
public sealed record PartUploadQuery
{
    // Ends a path: none has it.
    const byte End = 0;

    /// <summary>What their paths begin with, without the first slash.</summary>
    public ReadOnlyMemory<byte> Prefix { get; init; }

    /// <summary>
    /// Where to begin: behind what <see cref="Behind"/>, <see cref="BehindPath"/> or <see cref="BehindAll"/> gives; empty for
    /// the beginning.
    /// </summary>
    public ReadOnlyMemory<byte> After { get; init; }

    /// <summary>Most uploads.</summary>
    public required int Limit { get; init; }

    /// <summary>Behind an upload.</summary>
    public static byte[] Behind(ReadOnlySpan<byte> path, ulong id)
    {
        byte[] place = [.. path, End, .. new byte[sizeof(ulong)]];
        BinaryPrimitives.WriteUInt64BigEndian(place.AsSpan(path.Length + 1), id);
        return place;
    }

    /// <summary>Behind all uploads of a path.</summary>
    public static byte[] BehindPath(ReadOnlySpan<byte> path) => [.. path, End + 1];

    /// <summary>Behind all uploads whose paths begin with something.</summary>
    public static byte[] BehindAll(ReadOnlySpan<byte> prefix) => [.. prefix, byte.MaxValue];
}
