using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>Reads the fields of a row, each checked against its end. Words are little-endian.</summary>
ref struct RowReader
{
    /// <summary>What every row begins with.</summary>
    public const byte Version = 1;

    // Time in rows goes from year 1970 to 9999.
    const long MaxMicroseconds = 253_402_300_799_999_999;

    readonly ReadOnlySpan<byte> key;
    readonly ReadOnlySpan<byte> row;
    int offset;

    /// <summary>Begins behind the version.</summary>
    /// <exception cref="CorruptDataException">The row is of no version that is known.</exception>
    public RowReader(ReadOnlySpan<byte> key, ReadOnlySpan<byte> row)
    {
        this.key = key;
        this.row = row;
        if (Byte() is var version && version != Version) throw Damaged($"version {version}, and {Version} can be read");
    }

    public byte Byte() => Take(1)[0];

    public bool Boolean() => Byte() is var value && value <= 1 ? value == 1 : throw Damaged($"{value} is neither true nor false");

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    /// <summary>A number of items, for which there must be room before memory is taken for them.</summary>
    public int Count(int itemBytes) => UInt16() is var count && count * itemBytes <= row.Length - offset
        ? count
        : throw Damaged($"{count} items of {itemBytes} bytes are to follow, and {row.Length - offset} bytes do");

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int))) is var value and >= 0
        ? value
        : throw Damaged("a number is negative");

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public long Int64() => (long)UInt64() is var value and >= 0 ? value : throw Damaged("a number is negative");

    public long Signed64() => (long)UInt64();

    public DateTimeOffset Time() => Int64() is var value and <= MaxMicroseconds
        ? RowTime.FromMicroseconds(value)
        : throw Damaged("a time is beyond the year 9999");

    public BlockName Block() => new(new(Take(ContentHash.SizeBytes)), UInt64());

    public string Text8() => Text(Byte());

    public string Text16() => Text(UInt16());

    public string TextToEnd() => Text(row.Length - offset);

    /// <exception cref="CorruptDataException">They are none, or not in their order.</exception>
    public FileProperties Properties()
    {
        // A name is at least a byte.
        var count = Count(4);
        if (count == 0) return FileProperties.Empty;
        var pairs = new KeyValuePair<string, string>[count];
        for (var i = 0; i < count; i++)
        {
            pairs[i] = new(Text8(), Text16());
            if (i > 0 && string.CompareOrdinal(pairs[i - 1].Key, pairs[i].Key) >= 0)
                throw Damaged("names of properties are not in their order");
        }

        try
        {
            return FileProperties.Of(pairs);
        }
        catch (InvalidPropertiesException wrong)
        {
            throw Damaged(wrong.Message);
        }
    }

    /// <summary>A time, or -1 for none.</summary>
    public DateTimeOffset? TimeOrNone() => Signed64() switch
    {
        -1 => null,
        >= 0 and <= MaxMicroseconds and var value => RowTime.FromMicroseconds(value),
        var value => throw Damaged($"{value} is no time"),
    };

    public FilePath Path() => FilePath.OfStored(Take(UInt16()));

    public ReadOnlySpan<byte> Rest() => Take(row.Length - offset);

    /// <exception cref="CorruptDataException">There is more.</exception>
    public readonly void End()
    {
        if (offset != row.Length) throw Damaged($"{row.Length - offset} bytes follow");
    }

    public readonly CorruptDataException Damaged(string problem) =>
        new($"row {Convert.ToHexStringLower(key)} of the file metadata", offset, problem);

    string Text(int length)
    {
        var bytes = Take(length);
        // What is replaced silently is another name than the one that was written.
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Damaged("a text is not UTF-8");
    }

    ReadOnlySpan<byte> Take(int length)
    {
        if (length > row.Length - offset) throw Damaged($"{length} bytes of a field are to follow, and {row.Length - offset} do");
        offset += length;
        return row.Slice(offset - length, length);
    }
}
