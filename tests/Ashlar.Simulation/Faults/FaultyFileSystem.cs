using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;
using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>A disk in front of another one on which operations fail as rules say. The first rule that fires wins.</summary>
/// <param name="inner">The disk that does the work.</param>
/// <param name="rules">May be empty; more can be added later.</param>
public sealed class FaultyFileSystem(IFileSystem inner, params IReadOnlyList<FaultRule> rules) : IFileSystem
{
    readonly Lock gate = new();
    readonly List<ArmedRule> armed = [.. rules.Select(rule => new ArmedRule(rule))];
    readonly Dictionary<string, UnsyncedWrites> unsynced = new(StringComparer.Ordinal);

    /// <summary>Called on the calling thread before every operation, whether it will fail or not.</summary>
    public Action<FaultOperations, string>? BeforeOperation { get; init; }

    /// <summary>Hears of each operation, and of its failure.</summary>
    public FaultProbes? Probes { get; init; }

    /// <summary>Operations that did not do what they were asked for.</summary>
    public int FiredCount
    {
        get
        {
            lock (gate) return armed.Sum(rule => rule.Fired);
        }
    }

    /// <summary>The last operation that did not do what it was asked for, in words; null if there is none.</summary>
    public string? LastFired { get; private set; }

    /// <summary>Makes another rule hold, counting its matches from now on.</summary>
    public void Add(FaultRule rule)
    {
        lock (gate) armed.Add(new ArmedRule(rule));
    }

    /// <summary>Ends all faults: the disk is healthy from now on. Counts are kept.</summary>
    public void Heal()
    {
        lock (gate)
        {
            foreach (var rule in armed) rule.IsOver = true;
        }
    }

    /// <summary>How often a rule made an operation fail.</summary>
    public int CountFired(FaultRule rule)
    {
        lock (gate) return armed.Where(candidate => ReferenceEquals(candidate.Rule, rule)).Sum(candidate => candidate.Fired);
    }

    /// <summary>How many operations a rule applied to, whether they failed or not.</summary>
    public int CountMatches(FaultRule rule)
    {
        lock (gate) return armed.Where(candidate => ReferenceEquals(candidate.Rule, rule)).Sum(candidate => candidate.Matches);
    }

    /// <inheritdoc />
    public IFile Open(string path, FileOpenMode mode)
    {
        Require(FaultOperations.Open, "open", path);
        var file = inner.Open(path, mode);
        lock (gate)
        {
            if (!unsynced.TryGetValue(path, out var writes)) unsynced[path] = writes = new UnsyncedWrites();
            return new FaultyFile(this, file, writes);
        }
    }

    /// <inheritdoc />
    public bool FileExists(string path)
    {
        Require(FaultOperations.Exists, "statx", path);
        return inner.FileExists(path);
    }

    /// <inheritdoc />
    public bool DirectoryExists(string path)
    {
        Require(FaultOperations.Exists, "statx", path);
        return inner.DirectoryExists(path);
    }

    /// <inheritdoc />
    public IReadOnlyList<string> List(string directory)
    {
        Require(FaultOperations.List, "readdir", directory);
        return inner.List(directory);
    }

    /// <inheritdoc />
    public void CreateDirectory(string path)
    {
        if (Require(FaultOperations.CreateDirectory, "mkdir", path)) inner.CreateDirectory(path);
    }

    /// <inheritdoc />
    public void DeleteDirectory(string path)
    {
        if (Require(FaultOperations.DeleteDirectory, "rmdir", path)) inner.DeleteDirectory(path);
    }

    /// <inheritdoc />
    public void Rename(string source, string target)
    {
        if (!Require(FaultOperations.Rename, "rename", source, target)) return;
        inner.Rename(source, target);
        lock (gate)
        {
            if (source == target) return;
            unsynced.Remove(target);
            if (unsynced.Remove(source, out var writes)) unsynced[target] = writes;
        }
    }

    /// <inheritdoc />
    public void Delete(string path)
    {
        if (!Require(FaultOperations.Delete, "unlink", path)) return;
        inner.Delete(path);
        lock (gate) unsynced.Remove(path);
    }

    /// <inheritdoc />
    public void SyncDirectory(string path)
    {
        if (Require(FaultOperations.SyncDirectory, "fsync", path)) inner.SyncDirectory(path);
    }

    /// <inheritdoc />
    public IFileLock Lock(string path)
    {
        Require(FaultOperations.Lock, "flock", path);
        return new FaultyLock(this, inner.Lock(path), path);
    }

    /// <inheritdoc />
    public IFileLock LockExisting(string path)
    {
        Require(FaultOperations.Lock, "flock", path);
        return new FaultyLock(this, inner.LockExisting(path), path);
    }

    /// <inheritdoc />
    public IFileLock LockShared(string path)
    {
        Require(FaultOperations.Lock, "flock", path);
        return new FaultyLock(this, inner.LockShared(path), path);
    }

    /// <inheritdoc />
    public long GetFreeSpaceBytes(string path)
    {
        Require(FaultOperations.FreeSpace, "statvfs", path);
        return inner.GetFreeSpaceBytes(path);
    }

    /// <summary>Raises the fault that a rule asks for, if it is a plain error.</summary>
    /// <returns>False if the operation must be skipped and reported as done.</returns>
    internal bool Require(FaultOperations operation, string name, string path, string? otherPath = null) =>
        Choose(operation, path, otherPath) is not { } fault || Carry(fault, name, path);

    /// <summary>As <see cref="Require"/>, after the fault has been chosen.</summary>
    [SuppressMessage("Usage", "CA2201", Justification = "What the runtime raises is what is simulated.")]
    [SuppressMessage("Design", "MA0012", Justification = "What the runtime raises is what is simulated.")]
    internal static bool Carry(FaultKind fault, string name, string path) => fault switch
    {
        FaultKind.Skip => false,
        FaultKind.NoSpace or FaultKind.NoSpaceHalfWay => throw StorageException.FromErrno(name, path, Errno.NoSpace, "planted fault"),
        FaultKind.TooLarge => throw StorageException.FromErrno(name, path, Errno.FileTooLarge, "planted fault"),
        FaultKind.ReadOnly => throw StorageException.FromErrno(name, path, Errno.ReadOnlyFileSystem, "planted fault"),
        FaultKind.NotSupported => throw StorageException.FromErrno(name, path, Errno.NotSupported, "planted fault"),
        FaultKind.OutOfMemory => throw new OutOfMemoryException($"There is no memory for {name} of {path}."),
        FaultKind.BitFlip => true,
        _ => throw StorageException.FromErrno(name, path, Errno.InputOutput, "planted fault"),
    };

    internal FaultKind? Choose(FaultOperations operation, string path, string? otherPath = null)
    {
        BeforeOperation?.Invoke(operation, path);
        lock (gate)
        {
            FaultKind? chosen = null;
            foreach (var candidate in armed)
            {
                if (candidate.Fires(operation, path, otherPath, isFirst: chosen is null)) chosen ??= candidate.Rule.Kind;
            }

            if (chosen is not null) LastFired = $"{operation} of {path}";
            Probes?.Note(operation, path, chosen);
            return chosen;
        }
    }

    /// <summary>Whether any rule may ever need to take back unsynced writes; only then are they remembered.</summary>
    internal bool RemembersWrites()
    {
        lock (gate) return armed.Exists(rule => rule.Rule.Kind == FaultKind.LostSync);
    }

    sealed class FaultyLock(FaultyFileSystem disk, IFileLock held, string path) : IFileLock
    {
        public bool IsInPlace
        {
            get
            {
                disk.Require(FaultOperations.LockState, "statx", path);
                return held.IsInPlace;
            }
        }

        public void Dispose() => held.Dispose();
    }

    sealed class ArmedRule(FaultRule rule)
    {
        public FaultRule Rule { get; } = rule;

        public int Matches { get; private set; }

        public int Fired { get; private set; }

        public bool IsOver { get; set; }

        public bool Fires(FaultOperations operation, string path, string? otherPath, bool isFirst)
        {
            if (IsOver || !Rule.Operations.HasFlag(operation)) return false;
            if (!IsMatch(path) && (otherPath is null || !IsMatch(otherPath))) return false;
            Matches++;
            if (!isFirst || (Matches != Rule.Nth && !(Rule.IsSticky && Matches > Rule.Nth))) return false;
            Fired++;
            return true;
        }

        bool IsMatch(string path) => FileSystemName.MatchesSimpleExpression(Rule.PathPattern, path, ignoreCase: false);
    }
}
