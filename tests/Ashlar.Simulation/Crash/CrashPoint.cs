namespace Ashlar.Simulation;

/// <summary>
/// A disk on its way through a trace: what is durable, what the page cache holds, and the changes in between.
/// </summary>
/// <remarks>
/// The model is strict on purpose, weaker than any file system people use: syncing a file makes its data and length durable,
/// but not its name; syncing a directory makes the names in it durable; everything else may survive in any combination.
/// </remarks>
sealed class CrashPoint(DiskImage start)
{
    const int SectorBytes = 512;

    readonly DiskImage durable = start.CloneReachable();
    readonly DiskImage cached = start.CloneReachable();

    // Slots that became durable out of order, by the event that did it: an older pending change must not undo them.
    readonly Dictionary<(int Directory, string Name), int> durableSlots = [];
    readonly List<PendingChange> pending = [];
    readonly HashSet<int> forgotten = []; // Files of which the cache holds what no sync will write.
    readonly List<object> marks = [];

    /// <summary>Events that happened before the crash.</summary>
    public int EventCount { get; private set; }

    public IReadOnlyList<PendingChange> Pending => pending;

    /// <summary>The marks made so far; stays as it is when the point moves on.</summary>
    public IReadOnlyList<object> Marks => new MarksSoFar(marks, marks.Count);

    public int MarkCount => marks.Count;

    /// <summary>What the medium has of a file.</summary>
    public FileNode Durable(int node) => durable.Files[node];

    /// <summary>Changes with what could survive a crash here, or with what a check knows: equal versions, equal states.</summary>
    public int Version { get; private set; }

    public void Advance(DiskEvent next)
    {
        var pendingBefore = pending.Count;
        var index = EventCount++;
        switch (next)
        {
            case DiskEvent.Mark mark:
                marks.Add(mark.Value);
                Version++;
                return;
            case DiskEvent.Sync sync:
                SyncFile(sync.Node, sync.Began);
                break;
            case DiskEvent.SyncDirectory sync:
                SyncDirectory(sync.Directory);
                break;
            case DiskEvent.ForgottenSync sync:
                forgotten.Add(sync.Node);
                pending.RemoveAll(change => change is PendingData data && data.Node == sync.Node);
                break;
            case DiskEvent.Reread:
                next.ApplyTo(cached);
                break;
            default:
                Change(next, index);
                break;
        }

        if (pending.Count != pendingBefore) Version++;
    }

    /// <summary>The disk as it comes back after a power cut that spares <paramref name="survivors"/>.</summary>
    public DiskImage Materialise(Survivors survivors)
    {
        var image = new DiskImage();
        foreach (var (node, names) in durable.Directories)
            image.Directories[node] = new SortedDictionary<string, int>(names, StringComparer.Ordinal);
        for (var i = 0; i < pending.Count; i++)
        {
            if (survivors.IsKept[i] && pending[i] is PendingNames names) PutNames(image, names);
        }

        CopyFiles(image, DiskImage.RootNode);
        if (survivors.OldContentSeed is { } seed) PutOldContent(image, seed);
        for (var i = 0; i < pending.Count; i++)
        {
            if (survivors.IsKept[i]) PutContent(image, i, survivors);
        }

        foreach (var file in image.Files.Values) file.ClearBeyondLength();
        return image;
    }

    /// <summary>Whether a change is of data whose write made the file longer.</summary>
    public bool HasGrown(int index) =>
        index > 0
        && pending[index] is PendingData { Snapshot: not null } data
        && pending[index - 1] is PendingLength { IsCut: false } length
        && length.EventIndex == data.EventIndex;

    /// <summary>A path of a node, for descriptions.</summary>
    public string NameOf(int node) => FindPath(cached, node) ?? FindPath(durable, node) ?? $"(unnamed file {node})";

    void Change(DiskEvent change, int index)
    {
        switch (change)
        {
            case DiskEvent.CreateFile create:
                durable.Files.Add(create.Node, new FileNode());
                change.ApplyTo(cached);
                AddNames(index, new DirectorySlot(create.Directory, create.Name, create.Node));
                break;
            case DiskEvent.CreateLockFile create:
                durable.Files.Add(create.Node, new FileNode());
                durable.Directories[create.Directory][create.Name] = create.Node;
                durableSlots[(create.Directory, create.Name)] = index;
                change.ApplyTo(cached);
                Version++;
                break;
            case DiskEvent.CreateDirectory create:
                durable.Directories.Add(create.Node, DiskImage.NewDirectory());
                change.ApplyTo(cached);
                AddNames(index, new DirectorySlot(create.Directory, create.Name, create.Node));
                break;
            case DiskEvent.Rename rename:
                change.ApplyTo(cached);
                AddNames(
                    index,
                    new DirectorySlot(rename.SourceDirectory, rename.Source, null),
                    new DirectorySlot(rename.TargetDirectory, rename.Target, rename.Node));
                break;
            case DiskEvent.Remove remove:
                change.ApplyTo(cached);
                AddNames(index, new DirectorySlot(remove.Directory, remove.Name, null));
                break;
            case DiskEvent.Write write:
                ChangeLength(change, index, write.Node);
                AddData(index, write.Node, write.Offset, write.Offset + write.Data.Length);
                break;
            case DiskEvent.SetLength set:
                ChangeLength(change, index, set.Node);
                break;
            case DiskEvent.Allocate allocate:
                ChangeLength(change, index, allocate.Node);
                break;
            case DiskEvent.PunchHole punch:
                Punch(punch, index);
                break;
            default:
                throw new InvalidOperationException($"Unknown event: {change}");
        }
    }

    void AddNames(int index, params DirectorySlot[] slots) => pending.Add(new PendingNames(index, slots));

    void ChangeLength(DiskEvent change, int index, int node)
    {
        var before = cached.Files[node].LengthBytes;
        change.ApplyTo(cached);
        var after = cached.Files[node].LengthBytes;
        if (after != before) pending.Add(new PendingLength(index, node, after, IsCut: after < before));
    }

    void AddData(int index, int node, long start, long end)
    {
        if (start >= end) return;
        var snapshotStart = start / Page.SizeBytes * Page.SizeBytes;
        var snapshotEnd = RoundUp(end);
        var snapshot = new byte[snapshotEnd - snapshotStart];
        cached.Files[node].Copy(snapshot, snapshotStart);
        pending.Add(new PendingData(index, node, start, end, snapshot));
    }

    // Whole pages leave by a change of the map; the ragged ends are overwritten with zeros like any data.
    void Punch(DiskEvent.PunchHole punch, int index)
    {
        punch.ApplyTo(cached);
        var end = Math.Min(punch.Offset + punch.Length, cached.Files[punch.Node].LengthBytes);
        var wholeStart = RoundUp(punch.Offset);
        var wholeEnd = end / Page.SizeBytes * Page.SizeBytes;
        if (wholeStart >= wholeEnd)
        {
            AddData(index, punch.Node, punch.Offset, end);
            return;
        }

        AddData(index, punch.Node, punch.Offset, wholeStart);
        pending.Add(new PendingData(index, punch.Node, wholeStart, wholeEnd, Snapshot: null));
        AddData(index, punch.Node, wholeEnd, end);
    }

    void SyncFile(int node, int began)
    {
        if (!forgotten.Contains(node) && !pending.Exists(change => NodeOf(change) == node && change.EventIndex >= began))
        {
            durable.Files[node] = cached.Files[node].Clone();
            pending.RemoveAll(change => NodeOf(change) == node);
            return;
        }

        // Somebody changed the file meanwhile: only what came before the sync is durable. Of forgotten pages, only those written again.
        var file = durable.Files[node] = durable.Files[node].Clone();
        foreach (var change in pending)
        {
            if (NodeOf(change) != node || change.EventIndex >= began) continue;
            if (change is PendingData data) data.PutSectors(file, Page.SizeBytes, 0, data.CountSectors(Page.SizeBytes));
            else if (change is PendingLength { IsCut: true } cut) file.SetLength(cut.Length);
            else if (change is PendingLength length) file.GrowTo(length.Length);
        }

        pending.RemoveAll(change => NodeOf(change) == node && change.EventIndex < began);
    }

    void SyncDirectory(int directory)
    {
        foreach (var names in pending.OfType<PendingNames>())
        {
            if (names.UnsyncedDirectories.Remove(directory) && names.UnsyncedDirectories.Count == 0) Settle(names);
        }

        pending.RemoveAll(change => change is PendingNames { UnsyncedDirectories.Count: 0 });
        ForgetUnreachable();
    }

    void Settle(PendingNames names)
    {
        PutNames(durable, names);
        foreach (var slot in names.Slots) durableSlots[(slot.Directory, slot.Name)] = names.EventIndex;
    }

    void PutNames(DiskImage image, PendingNames names)
    {
        foreach (var slot in names.Slots)
        {
            if (durableSlots.GetValueOrDefault((slot.Directory, slot.Name), -1) > names.EventIndex) continue;
            if (slot.Node is { } node) image.Directories[slot.Directory][slot.Name] = node;
            else image.Directories[slot.Directory].Remove(slot.Name);
        }
    }

    void CopyFiles(DiskImage image, int directory)
    {
        foreach (var node in image.Directories[directory].Values)
        {
            if (image.IsDirectory(node)) CopyFiles(image, node);
            else if (!image.Files.ContainsKey(node)) image.Files[node] = durable.Files[node].Clone();
        }
    }

    // Where something was appended. Whatever of it survives is put over this; what lies beyond the length that survives is cleared.
    void PutOldContent(DiskImage image, ulong seed)
    {
        var random = new SeededRandom(seed);
        for (var i = 0; i < pending.Count; i++)
        {
            if (!HasGrown(i) || pending[i] is not PendingData data || !image.Files.TryGetValue(data.Node, out var file)) continue;
            var start = Math.Max(data.Start, file.LengthBytes + SectorBytes - 1) / SectorBytes * SectorBytes;
            if (start < data.End) file.PutBytes(random.Bytes((int)(data.End - start)), start);
        }
    }

    void PutContent(DiskImage image, int index, Survivors survivors)
    {
        switch (pending[index])
        {
            case PendingLength length when image.Files.TryGetValue(length.Node, out var file):
                if (length.IsCut) file.SetLength(length.Length);
                else file.GrowTo(survivors.LengthsReached.GetValueOrDefault(index, length.Length));
                break;
            case PendingData data when image.Files.TryGetValue(data.Node, out var file):
                PutSectors(data, file, survivors, index);
                break;
            default:
                break;
        }
    }

    static void PutSectors(PendingData data, FileNode file, Survivors survivors, int index)
    {
        var count = data.CountSectors(survivors.SectorBytes);
        if (!survivors.Tears.TryGetValue(index, out var tear))
        {
            data.PutSectors(file, survivors.SectorBytes, 0, count);
            return;
        }

        for (var sector = 0; sector < count; sector++)
        {
            if (tear.Keeps(sector)) data.PutSectors(file, survivors.SectorBytes, sector, sector + 1);
        }
    }

    // Changes to a file that no crash can bring back would only multiply equal states.
    void ForgetUnreachable()
    {
        var reachable = new HashSet<int>();
        Reach(DiskImage.RootNode, reachable);
        foreach (var slot in pending.OfType<PendingNames>().SelectMany(names => names.Slots))
        {
            if (slot.Node is { } node) Reach(node, reachable);
        }

        pending.RemoveAll(change => NodeOf(change) is { } node && !reachable.Contains(node));
    }

    void Reach(int node, HashSet<int> reachable)
    {
        if (!reachable.Add(node) || !durable.Directories.TryGetValue(node, out var names)) return;
        foreach (var child in names.Values) Reach(child, reachable);
    }

    static int? NodeOf(PendingChange change) => change switch
    {
        PendingLength length => length.Node,
        PendingData data => data.Node,
        _ => null,
    };

    static long RoundUp(long offset) => (offset + Page.SizeBytes - 1) / Page.SizeBytes * Page.SizeBytes;

    static string? FindPath(DiskImage image, int node, int directory = DiskImage.RootNode)
    {
        if (node == directory) return "/";
        foreach (var (name, child) in image.Directories[directory])
        {
            if (child == node) return $"/{name}";
            if (image.IsDirectory(child) && FindPath(image, node, child) is { } below) return $"/{name}{below}";
        }

        return null;
    }
}
