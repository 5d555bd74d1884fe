namespace Ashlar.Files;

/// <summary>The row of a pin, as its intent finds it.</summary>
/// <param name="Block">The block.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="IsShared">
/// Whether it was asked for more than once, by parts of one content: the one that is replaced does not take it back then, for another may
/// be on its way to the metadata.
/// </param>
readonly record struct Pin(BlockName Block, int LengthBytes, bool IsShared)
{
    const int RowBytes = 6;

    public static Pin Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var pin = new Pin(MetadataKeys.NameAtEnd(key), row.Int32(), row.Boolean());
        row.End();
        return pin;
    }

    public ReadOnlySpan<byte> Write() => new RowWriter(RowBytes).Int32(LengthBytes).Byte(IsShared ? (byte)1 : (byte)0).Written;
}
