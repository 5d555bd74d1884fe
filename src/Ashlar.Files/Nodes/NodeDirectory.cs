using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>The directory of a storage node: what lies where in it, whose it is, and that it is still there.</summary>
/// <remarks>
/// <code>
/// node                the record of the node; what makes the directory one, and is written last
/// lock                held while it is open
/// node.new            the record while the directory is made
/// blocks/mark         the same record, so that a disk below that is not mounted is missed; held while it is open
/// blocks/a/b/NAME     the blocks whose hash begins with ab: all 256 directories are there from the beginning
/// temp/TICKET         what is being uploaded
/// trash/AGE-NAME      what was taken away, and how old the trash was then
/// trash/age           how old the trash is
/// </code>
/// </remarks>
sealed class NodeDirectory : IDisposable
{
    const string RecordName = "node", NewRecordName = "node.new", LockName = "lock", MarkName = "mark";
    const string BlocksName = "blocks", TempName = "temp", TrashName = "trash";
    const string HexDigits = "0123456789abcdef";

    // What file systems and administrators put at the top of a disk.
    const string LostAndFound = "lost+found";

    readonly IFileSystem files;
    readonly IFileLock held, heldBlocks;

    NodeDirectory(IFileSystem files, string path, IFileLock held, IFileLock heldBlocks, NodeRecord record)
    {
        (this.files, this.held, this.heldBlocks, Path, Id) = (files, held, heldBlocks, path, record.Node);
        Device = files.GetVolumeIdentity(path);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Whose it is.</summary>
    public NodeId Id { get; }

    /// <summary>
    /// Held while the file of a block gets its name or loses it: of two who move one, the second finds what the first has done.
    /// </summary>
    public Lock Moving { get; } = new();

    /// <summary>The file system it is on.</summary>
    public string Device { get; }

    /// <summary>Where what was taken away lies.</summary>
    public string Trash => Join(Path, TrashName);

    /// <summary>Where what is being uploaded lies.</summary>
    public string Temp => Join(Path, TempName);

    /// <summary>The directories of blocks, in the order of what is in them.</summary>
    public IEnumerable<string> Leaves =>
        from first in HexDigits from second in HexDigits select Join(Path, BlocksName, first.ToString(), second.ToString());

    /// <summary>
    /// Whether the path still leads to the directory that was opened, and to its blocks: not to a mount point whose disk is gone, say.
    /// </summary>
    public bool IsInPlace => held.IsInPlace && heldBlocks.IsInPlace;

    /// <summary>
    /// Makes the directory of a new node. What was begun and cut off is finished, under the number that it was begun with.
    /// </summary>
    /// <returns>The node that is there now.</returns>
    /// <exception cref="NodeDirectoryException">It is one already, or has something else in it.</exception>
    public static NodeId Create(IFileSystem files, string path, NodeRecord record)
    {
        files.CreateDirectories(path);
        foreach (var name in files.List(path))
        {
            if (name == RecordName)
                throw new NodeDirectoryException(
                    path, NodeDirectoryProblem.AlreadyThere, "this is the directory of a storage node already");
            if (name is not (NewRecordName or LockName or BlocksName or TempName or TrashName or LostAndFound))
                throw new NodeDirectoryException(
                    path, NodeDirectoryProblem.NotEmpty, $"a storage node needs a directory of its own, and in this one is {name}");
        }

        using var held = files.Lock(Join(path, LockName));
        var begun = TryRead(files, Join(path, NewRecordName), NodeRecord.AtTop);
        var blocks = Join(path, BlocksName);
        RequireUnused(files, path, begun);

        // Invariant: the mark beside the blocks is that of a record which is durable at the top before it, so that blocks of another node,
        // on a disk that was mounted here, are told from what a creation that was cut off has left.
        if (begun is null) Write(files, Join(path, NewRecordName), record with { Place = NodeRecord.AtTop });
        files.SyncDirectory(path);
        record = begun ?? record;
        foreach (var name in (string[])[BlocksName, TempName, TrashName]) CreateIfMissing(files, Join(path, name));
        files.SyncDirectory(path);
        foreach (var first in HexDigits)
        {
            var upper = Join(blocks, first.ToString());
            CreateIfMissing(files, upper);
            foreach (var second in HexDigits) CreateIfMissing(files, Join(upper, second.ToString()));
            files.SyncDirectory(upper);
        }

        // Invariant: whoever finds the record at the top finds all directories, and the mark, on the medium. So it gets its name last.
        Write(files, Join(blocks, MarkName), record with { Place = NodeRecord.AtBlocks });
        files.SyncDirectory(blocks);
        files.SyncDirectory(path); // The names of the parts too, which lie beside that of the record.
        files.Rename(Join(path, NewRecordName), Join(path, RecordName));
        files.SyncDirectory(path);
        return record.Node;
    }

    /// <summary>Opens it.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="path">The directory.</param>
    /// <param name="expected">The node that has to be there; null for whichever is.</param>
    /// <exception cref="NodeDirectoryException">It is not there, or is another's.</exception>
    /// <exception cref="LockedException">Somebody has it open.</exception>
    public static NodeDirectory Open(IFileSystem files, string path, NodeId? expected)
    {
        // Without the record there is no node here, and nothing is created in its place: not even the lock.
        if (!files.FileExists(Join(path, RecordName)))
            throw new NodeDirectoryException(
                path, NodeDirectoryProblem.Missing,
                $"the directory of storage node {expected?.ToString() ?? "?"} is not there. If it is on a disk of its own, see whether "
                    + "that is mounted");
        var held = files.Lock(Join(path, LockName));
        IFileLock? heldBlocks = null;
        try
        {
            var record = NodeRecord.Read(files, Join(path, RecordName), NodeRecord.AtTop);
            if (expected is { } node && record.Node != node)
                throw new NodeDirectoryException(
                    path, NodeDirectoryProblem.OtherNode, $"this is the directory of storage node {record.Node}, not of {node}");
            RequireParts(files, path, record);
            heldBlocks = files.LockExisting(Join(path, BlocksName, MarkName));
            return new NodeDirectory(files, path, held, heldBlocks, record);
        }
        catch
        {
            heldBlocks?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>The directory that a block lies in.</summary>
    public string LeafOf(CustomerBlock block)
    {
        var text = block.ToString();
        return Join(Path, BlocksName, text[..1], text[1..2]);
    }

    /// <summary>The file of a block.</summary>
    public string FileOf(CustomerBlock block) => Join(LeafOf(block), block.ToString());

    /// <summary>The file of an upload.</summary>
    public string FileOf(UploadTicket ticket) => Join(Temp, ticket.Value.ToString("x16", CultureInfo.InvariantCulture));

    /// <summary>The blocks of one of the directories, in order.</summary>
    public IEnumerable<CustomerBlock> BlocksIn(string leaf)
    {
        foreach (var text in files.List(leaf))
        {
            // A name of another spelling is not one of this program's, and may not pass for the block that it resembles.
            if (CustomerBlock.TryParse(text, out var block) && FileOf(block) == Join(leaf, text)) yield return block;
        }
    }

    /// <summary>Deletes what uploads left that did not end. Only whoever has just opened it knows that there are none.</summary>
    public void ClearTemp()
    {
        foreach (var name in files.List(Temp)) files.Delete(Join(Temp, name));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        heldBlocks.Dispose();
        held.Dispose();
    }

    /// <summary>A path of several names.</summary>
    public static string Join(params ReadOnlySpan<string> names) => string.Join('/', names!);

    static void RequireParts(IFileSystem files, string path, NodeRecord record)
    {
        var mark = Join(path, BlocksName, MarkName);
        if (!files.FileExists(mark))
            throw new NodeDirectoryException(
                path, NodeDirectoryProblem.Missing,
                $"{BlocksName} is not there. If it is on a disk of its own, see whether that is mounted");
        if (NodeRecord.Read(files, mark, NodeRecord.AtBlocks) != (record with { Place = NodeRecord.AtBlocks }))
            throw new NodeDirectoryException(path, NodeDirectoryProblem.Mixed, $"{BlocksName} is of another storage node");

        // A rename is what makes a block appear, and there is none from one file system to another.
        var device = files.GetVolumeIdentity(Join(path, BlocksName));
        foreach (var name in (string[])[TempName, TrashName])
        {
            if (!files.DirectoryExists(Join(path, name)))
                throw new NodeDirectoryException(path, NodeDirectoryProblem.Missing, $"{name} is not there");
            if (files.GetVolumeIdentity(Join(path, name)) != device)
                throw new NodeDirectoryException(
                    path, NodeDirectoryProblem.Mixed, $"{name} and {BlocksName} have to be on one file system, and are not");
        }
    }

    // Of a node that was never opened nothing is in its directories, and the mark, if it came that far, is the one of the record.
    static void RequireUnused(IFileSystem files, string path, NodeRecord? begun)
    {
        var blocks = Join(path, BlocksName);
        var mark = Join(blocks, MarkName);
        if (files.FileExists(mark)
            && TryRead(files, mark, NodeRecord.AtBlocks) is { } other
            && (begun is null || other != (begun with { Place = NodeRecord.AtBlocks })))
            throw new NodeDirectoryException(
                path, NodeDirectoryProblem.Mixed, $"{BlocksName} is of storage node {other.Node}, whose record is not here");
        var parts = from first in HexDigits from second in HexDigits select Join(blocks, first.ToString(), second.ToString());
        foreach (var part in parts.Append(Join(path, TempName)).Append(Join(path, TrashName)))
        {
            if (files.DirectoryExists(part) && files.List(part) is [var name, ..])
                throw new NodeDirectoryException(
                    path, NodeDirectoryProblem.NotEmpty, $"a storage node begins with nothing, and in {part} is {name}");
        }
    }

    // Null for one that is not there, or was cut off while it was written.
    static NodeRecord? TryRead(IFileSystem files, string path, int place)
    {
        if (!files.FileExists(path)) return null;
        try
        {
            return NodeRecord.Read(files, path, place);
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }

    static void CreateIfMissing(IFileSystem files, string path)
    {
        if (!files.DirectoryExists(path)) files.CreateDirectory(path);
    }

    static void Write(IFileSystem files, string path, NodeRecord record)
    {
        using var file = files.Open(path, FileOpenMode.OpenOrCreate);
        file.Write(record.Encode(), 0);
        file.SetLength(NodeRecord.SizeBytes);
        file.Sync();
    }
}
