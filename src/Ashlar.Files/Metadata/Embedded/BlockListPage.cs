namespace Ashlar.Files;

/// <summary>
/// A part of a file's list of blocks, under the file's number and where in the file the first begins: a range is found without reading
/// the list before it.
/// </summary>
static class BlockListPage
{
    public const int MaxBlocks = 256;
    public const int BlockBytes = ContentHash.SizeBytes + sizeof(ulong) + sizeof(int);

    public static ReadOnlySpan<byte> Write(ReadOnlySpan<FileBlock> blocks)
    {
        var row = new RowWriter(3 + (blocks.Length * BlockBytes)).UInt16(blocks.Length);
        foreach (var block in blocks) row.Block(block.Name).Int32(block.LengthBytes);
        return row.Written;
    }

    public static FileBlock[] Read(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var row = new RowReader(key, value);
        var count = row.Count(BlockBytes);
        if (count is 0 or > MaxBlocks) throw row.Damaged($"{count} blocks are in a page, which has 1 to {MaxBlocks}");
        var blocks = new FileBlock[count];
        for (var i = 0; i < count; i++)
        {
            blocks[i] = new(row.Block(), row.Int32());
            if (blocks[i].LengthBytes == 0) throw row.Damaged("a block is empty");
        }

        row.End();
        return blocks;
    }
}
