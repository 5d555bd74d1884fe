namespace Ashlar.Files;

/// <summary>
/// The row of a file, under its number: what does not change when it gets another name, but for the name itself, by which a file is
/// found from a block.
/// </summary>
sealed record FileRow
{
    const byte InlineForm = 0, BlocksForm = 1;

    public required FilePath Path { get; init; }

    public required long SizeBytes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>0 if the content lies here.</summary>
    public required int BlockCount { get; init; }

    public FileProperties Properties { get; init; } = FileProperties.Empty;

    public ReadOnlyMemory<byte>? Inline { get; init; }

    public ReadOnlySpan<byte> Write()
    {
        var row = new RowWriter(48 + Path.Bytes.Length + (Inline?.Length ?? 0))
            .Byte(Inline is null ? BlocksForm : InlineForm)
            .Int64(SizeBytes)
            .Time(CreatedAt)
            .Int32(BlockCount)
            .Path(Path)
            .Properties(Properties);
        if (Inline is { } content) row.Rest(content.Span);
        return row.Written;
    }

    public static FileRow Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var form = row.Byte();
        if (form > BlocksForm) throw row.Damaged($"there is no form {form}");
        var (size, createdAt, blocks, path) = (row.Int64(), row.Time(), row.Int32(), row.Path());
        var properties = row.Properties();
        ReadOnlyMemory<byte>? content = null; // No array is not content of no bytes.
        if (form == InlineForm) content = row.Rest().ToArray();
        row.End();
        if (form == InlineForm != (blocks == 0)) throw row.Damaged($"form {form} has {blocks} blocks");
        if (content is { } bytes && bytes.Length != size)
            throw row.Damaged($"{size} bytes of content are to follow, and {bytes.Length} do");
        return new()
        {
            Path = path,
            SizeBytes = size,
            CreatedAt = createdAt,
            BlockCount = blocks,
            Properties = properties,
            Inline = content,
        };
    }
}
