namespace Ashlar.Simulation;

/// <summary>One entry of a trace. Events name nodes, not paths: a rename moves a name, not the data.</summary>
abstract record DiskEvent
{
    public sealed record CreateFile(int Directory, string Name, int Node) : DiskEvent;

    /// <summary>Lock files hold nothing anybody relies on, so they count as durable at once and add no crash states.</summary>
    public sealed record CreateLockFile(int Directory, string Name, int Node) : DiskEvent;

    public sealed record CreateDirectory(int Directory, string Name, int Node) : DiskEvent;

    public sealed record Rename(int SourceDirectory, string Source, int TargetDirectory, string Target, int Node) : DiskEvent;

    public sealed record Remove(int Directory, string Name) : DiskEvent;

    public sealed record Write(int Node, long Offset, byte[] Data) : DiskEvent
    {
        public override string ToString() => $"Write {{ Node = {Node}, Offset = {Offset}, Length = {Data.Length} }}";
    }

    public sealed record SetLength(int Node, long Length) : DiskEvent;

    public sealed record Allocate(int Node, long Offset, long Length) : DiskEvent;

    public sealed record PunchHole(int Node, long Offset, long Length) : DiskEvent;

    /// <summary>A sync has returned that began before event <paramref name="Began"/>: what came since may be durable or not.</summary>
    public sealed record Sync(int Node, int Began) : DiskEvent;

    public sealed record SyncDirectory(int Directory) : DiskEvent;

    /// <summary>
    /// A sync of a file has failed. As Linux does, the kernel told of it once, and counts as written from now on what it could not
    /// write: it can be read, later syncs skip it, and a power cut takes it, unless its page is written again.
    /// </summary>
    public sealed record ForgottenSync(int Node) : DiskEvent;

    /// <summary>A page that counted as written was dropped from the cache and shows what the medium has, which is something else.</summary>
    public sealed record Reread(int Node, long Offset, byte[] Data) : DiskEvent;

    /// <summary>What the workload says about itself: "begun 17", "acknowledged 17".</summary>
    public sealed record Mark(object Value) : DiskEvent;

    /// <summary>Carries the event out on an image, as the page cache sees it. Syncs and marks change nothing there.</summary>
    public void ApplyTo(DiskImage image)
    {
        switch (this)
        {
            case CreateFile create:
                image.Files.Add(create.Node, new FileNode());
                image.Directories[create.Directory].Add(create.Name, create.Node);
                break;
            case CreateLockFile create:
                image.Files.Add(create.Node, new FileNode());
                image.Directories[create.Directory].Add(create.Name, create.Node);
                break;
            case CreateDirectory create:
                image.Directories.Add(create.Node, DiskImage.NewDirectory());
                image.Directories[create.Directory].Add(create.Name, create.Node);
                break;
            case Rename rename:
                image.Directories[rename.SourceDirectory].Remove(rename.Source);
                image.Directories[rename.TargetDirectory][rename.Target] = rename.Node;
                break;
            case Remove remove:
                image.Directories[remove.Directory].Remove(remove.Name);
                break;
            case Write write:
                image.Files[write.Node].Write(write.Data, write.Offset);
                break;
            case Reread reread:
                image.Files[reread.Node].PutBytes(reread.Data, reread.Offset);
                break;
            case SetLength set:
                image.Files[set.Node].SetLength(set.Length);
                break;
            case Allocate allocate:
                image.Files[allocate.Node].Allocate(allocate.Offset, allocate.Length);
                break;
            case PunchHole punch:
                image.Files[punch.Node].PunchHole(punch.Offset, punch.Length);
                break;
            default:
                break;
        }
    }
}
