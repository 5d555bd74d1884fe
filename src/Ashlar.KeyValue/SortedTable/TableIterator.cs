using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// Walks a table: a position in the top index, in an index block, and in a data block. Blocks are read on demand.
/// </summary>
sealed class TableIterator(Table table, BlockSource blocks) : EntryIterator
{
    Block root;
    Block index;
    Block data;
    int rootPosition;
    int indexPosition;
    int position;

    public override bool IsValid => !data.IsNone;

    public override ReadOnlySpan<byte> Key => data.KeyAt(position);

    public override ulong Sequence => data.SequenceAt(position);

    public override EntryKind Kind => data.KindAt(position);

    public override ReadOnlySpan<byte> Value => data.ValueAt(position);

    public override void SeekToFirst()
    {
        OpenIndex(0, last: false);
        OpenData(0, last: false);
    }

    public override void SeekToLast()
    {
        OpenRoot();
        OpenIndex(root.Count - 1, last: true);
        OpenData(indexPosition, last: true);
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        OpenRoot();
        data = default;
        var at = root.Find(key, sequence);
        if (at == root.Count) return;
        OpenIndex(at, last: false);
        at = index.Find(key, sequence);
        // The index names the last entry of each block, so the entry is in the block that was found.
        if (at == index.Count)
            throw new CorruptDataException(
                table.Path, table.PartitionAt(root, rootPosition).Index.Offset, "an index block ends before its own last key");
        OpenData(at, last: false);
        var found = data.Find(key, sequence);
        if (found == data.Count)
        {
            data = default;
            throw new CorruptDataException(
                table.Path, table.HandleAt(index, indexPosition).Offset, "a block ends before its own last key");
        }

        position = found;
    }

    public override void Next()
    {
        if (++position < data.Count) return;
        data = default;
        if (indexPosition + 1 < index.Count)
        {
            OpenData(indexPosition + 1, last: false);
        }
        else if (rootPosition + 1 < root.Count)
        {
            OpenIndex(rootPosition + 1, last: false);
            OpenData(0, last: false);
        }
    }

    public override void Previous()
    {
        if (--position >= 0) return;
        data = default;
        if (indexPosition > 0)
        {
            OpenData(indexPosition - 1, last: true);
        }
        else if (rootPosition > 0)
        {
            OpenIndex(rootPosition - 1, last: true);
            OpenData(indexPosition, last: true);
        }
    }

    public override void Close()
    {
        data = index = root = default;
        blocks.Close();
    }

    void OpenRoot()
    {
        if (root.IsNone) root = blocks.Root();
    }

    void OpenIndex(int at, bool last)
    {
        OpenRoot();
        data = default;
        index = default;
        index = blocks.Index(root, at);
        rootPosition = at;
        indexPosition = last ? index.Count - 1 : 0;
    }

    void OpenData(int at, bool last)
    {
        data = default;
        data = blocks.Data(table.HandleAt(index, at));
        indexPosition = at;
        position = last ? data.Count - 1 : 0;
    }
}
