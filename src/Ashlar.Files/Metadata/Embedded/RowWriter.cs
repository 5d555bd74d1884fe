using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Ashlar.Files;

/// <summary>Writes the fields of a row as <see cref="RowReader"/> reads them.</summary>
readonly struct RowWriter
{
    readonly ArrayBufferWriter<byte> row;

    /// <summary>Begins with the version.</summary>
    public RowWriter(int expectedBytes)
    {
        row = new(expectedBytes);
        Byte(RowReader.Version);
    }

    public RowWriter Byte(byte value)
    {
        row.GetSpan(1)[0] = value;
        row.Advance(1);
        return this;
    }

    public RowWriter UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(row.GetSpan(sizeof(ushort)), checked((ushort)value));
        row.Advance(sizeof(ushort));
        return this;
    }

    public RowWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(row.GetSpan(sizeof(int)), value);
        row.Advance(sizeof(int));
        return this;
    }

    public RowWriter UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(row.GetSpan(sizeof(ulong)), value);
        row.Advance(sizeof(ulong));
        return this;
    }

    public RowWriter Int64(long value) => UInt64((ulong)value);

    public RowWriter Time(DateTimeOffset value) => Int64(RowTime.ToMicroseconds(value));

    public RowWriter Block(BlockName value)
    {
        value.Hash.CopyTo(row.GetSpan(ContentHash.SizeBytes));
        row.Advance(ContentHash.SizeBytes);
        return UInt64(value.Generation);
    }

    public RowWriter Text8(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return Byte(checked((byte)bytes.Length)).Rest(bytes);
    }

    public RowWriter Text16(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return UInt16(bytes.Length).Rest(bytes);
    }

    public RowWriter Properties(FileProperties value)
    {
        UInt16(value.Count);
        foreach (var (name, text) in value) Text8(name).Text16(text);
        return this;
    }

    public RowWriter Path(FilePath value) => UInt16(value.Bytes.Length).Rest(value.Bytes.Span);

    public RowWriter Rest(ReadOnlySpan<byte> value)
    {
        row.Write(value);
        return this;
    }

    public ReadOnlySpan<byte> Written => row.WrittenSpan;
}
