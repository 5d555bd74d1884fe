using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Walks a table: a position in the top index, in an index block, and in a data block. Blocks are read on demand.
/// </summary>
sealed class TableIterator(Table table, bool fillCache) : EntryIterator
{
    Block? root;
    Block? index;
    Block? data;
    int rootPosition;
    int indexPosition;
    int position;

    public override bool IsValid => data is not null;

    public override ReadOnlySpan<byte> Key => data!.KeyAt(position);

    public override ulong Sequence => data!.SequenceAt(position);

    public override EntryKind Kind => data!.KindAt(position);

    public override ReadOnlySpan<byte> Value => data!.ValueAt(position);

    public override void SeekToFirst()
    {
        OpenIndex(0, last: false);
        OpenData(0, last: false);
    }

    public override void SeekToLast()
    {
        root ??= table.LoadBlock(table.Footer.Root, true);
        OpenIndex(root.Count - 1, last: true);
        OpenData(indexPosition, last: true);
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        root ??= table.LoadBlock(table.Footer.Root, true);
        data = null;
        var at = root.Find(key, sequence);
        if (at == root.Count) return;
        OpenIndex(at, last: false);
        at = index!.Find(key, sequence);
        // The index names the last entry of each block, so the entry is in the block that was found.
        if (at == index.Count)
            throw new CorruptDataException(
                table.Path, root.HandleAt(rootPosition).Offset, "an index block ends before its own last key");
        OpenData(at, last: false);
        position = data!.Find(key, sequence);
        if (position == data.Count)
            throw new CorruptDataException(
                table.Path, index.HandleAt(indexPosition).Offset, "a block ends before its own last key");
    }

    public override void Next()
    {
        if (++position < data!.Count) return;
        if (indexPosition + 1 < index!.Count)
        {
            OpenData(indexPosition + 1, last: false);
        }
        else if (rootPosition + 1 < root!.Count)
        {
            OpenIndex(rootPosition + 1, last: false);
            OpenData(0, last: false);
        }
        else
        {
            data = null;
        }
    }

    public override void Previous()
    {
        if (--position >= 0) return;
        if (indexPosition > 0)
        {
            OpenData(indexPosition - 1, last: true);
        }
        else if (rootPosition > 0)
        {
            OpenIndex(rootPosition - 1, last: true);
            OpenData(indexPosition, last: true);
        }
        else
        {
            data = null;
        }
    }

    void OpenIndex(int at, bool last)
    {
        root ??= table.LoadBlock(table.Footer.Root, true);
        index = table.LoadBlock(root.HandleAt(at), true);
        rootPosition = at;
        indexPosition = last ? index.Count - 1 : 0;
    }

    void OpenData(int at, bool last)
    {
        data = table.LoadBlock(index!.HandleAt(at), fillCache);
        indexPosition = at;
        position = last ? data.Count - 1 : 0;
    }
}
