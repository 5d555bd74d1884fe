using System.Collections.Immutable;
using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>
/// Random calls on a small file system, and before and after each of them a mark that says what a crash may leave of it: names as they
/// were at one moment since they were last synced, and of each file a length and sectors that it had at some moments since it was.
/// </summary>
sealed class FileSystemWorkload(ulong seed, int steps, CommitRules? rules = null)
{
    const int MaxFileBytes = 60_000;
    static readonly string[] Names = ["/x", "/y", "/z", "/d/x", "/d/y", "/e/x"];

    readonly SeededRandom random = SeededRandom.For(seed, "block file system");
    readonly Dictionary<int, List<byte[]>> versions = [];
    readonly Dictionary<int, IFile> handles = [];
    readonly List<IFile> orphans = [];
    List<ImmutableSortedDictionary<string, int>> names = [];
    ImmutableSortedDictionary<string, int> current = ImmutableSortedDictionary<string, int>.Empty;
    SimulatedFileSystem below = null!;
    BlockFileSystem disk = null!;
    int nextFile;

    public Dictionary<string, int> Done { get; } = new(StringComparer.Ordinal);

    public void Run(SimulatedFileSystem simulated)
    {
        below = simulated;
        disk = BlockFileSystem.Open(TestDisk.CreateFile(below), TestDisk.OffsetBytes, TestDisk.Options(rules));
        foreach (var directory in new[] { "/d", "/e" }) disk.CreateDirectory(directory);
        disk.SyncDirectory("/");
        below.SyncDirectory("/");
        below.RestartTrace();
        names = [current];
        for (var step = 0; step < steps; step++) Step();
        Mark();
    }

    void Step()
    {
        try
        {
            switch (random.Next(20))
            {
                case < 6: Write(random.Next(1, 6000)); break;
                case 6: Write(random.Next(6000, 50_000)); break;
                case 7: Change("cut", file => SetLength(file, random.Next(MaxFileBytes))); break;
                case 8: Change("punch", Punch); break;
                case 9: Change("allocate", Allocate); break;
                case < 14: Sync(); break;
                case < 16: SyncNames(); break;
                case 16: Rename(); break;
                case 17: Delete(); break;
                case 18: Change("write back", file => handles[file].StartWriteBack(0, MaxFileBytes)); break;
                default:
                    if (random.OneIn(3)) Die();
                    break;
            }
        }
        catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
        {
            Count("full");
        }
    }

    void Write(int length) => Change("write", file =>
    {
        var content = Newest(file);
        var offset = random.OneIn(2) ? content.Length : random.Next(MaxFileBytes - length);
        length = Math.Min(length, MaxFileBytes - offset);
        if (length <= 0) return;
        var bytes = random.Bytes(length);
        foreach (ref var value in bytes.AsSpan()) value |= 1; // Zeros are what nobody wrote.
        var next = new byte[Math.Max(content.Length, offset + length)];
        content.CopyTo(next, 0);
        bytes.CopyTo(next, offset);
        // On a full disk it may become as long as there was room for.
        for (var part = TestDisk.UnitBytes; part < length; part += TestDisk.UnitBytes)
            if (offset + part > content.Length) versions[file].Add(next[..(offset + part)]);
        Accept(file, next);
        try
        {
            handles[file].Write(bytes, offset);
        }
        finally
        {
            versions[file].Add(BlockFileSystemTests.Read(disk, PathOf(file)));
        }
    });

    void SetLength(int file, int length)
    {
        var content = Newest(file);
        var next = new byte[length];
        content.AsSpan(0, Math.Min(length, content.Length)).CopyTo(next);
        Accept(file, next);
        handles[file].SetLength(length);
    }

    void Punch(int file)
    {
        var next = (byte[])Newest(file).Clone();
        if (next.Length == 0) return;
        var offset = random.Next(next.Length);
        var length = random.Next(1, 30_000);
        next.AsSpan(offset, Math.Min(length, next.Length - offset)).Clear();
        Accept(file, next);
        handles[file].PunchHole(offset, length);
    }

    void Allocate(int file)
    {
        var content = Newest(file);
        var end = random.Next(1, MaxFileBytes);
        var next = new byte[Math.Max(content.Length, end)];
        content.CopyTo(next, 0);
        versions[file].Add(next);
        Mark();
        try
        {
            handles[file].Allocate(0, end);
        }
        catch (StorageException)
        {
            versions[file].Add(content);
            throw;
        }
    }

    void Change(string what, Action<int> change)
    {
        var path = random.Pick(Names);
        if (!current.TryGetValue(path, out var file))
        {
            file = nextFile++;
            versions[file] = [[]];
            Become(current.Add(path, file));
            handles[file] = disk.Open(path, FileOpenMode.CreateNew);
        }
        else if (!handles.ContainsKey(file))
        {
            handles[file] = disk.Open(path, FileOpenMode.Existing);
        }

        change(file);
        Count(what);
    }

    void Sync()
    {
        if (handles.Count == 0) return;
        var file = random.Pick(handles.Keys.Order().ToArray());
        handles[file].Sync();
        versions[file] = [Newest(file)];
        Mark();
        Count("sync");
    }

    void SyncNames()
    {
        disk.SyncDirectory(random.Pick(["/", "/d", "/e"]));
        names = [current];
        Mark();
        Count("sync names");
    }

    void Rename()
    {
        if (current.Count == 0) return;
        var source = random.Pick(current.Keys.ToArray());
        var target = random.Pick(Names);
        if (source == target) return;
        var replaced = current.GetValueOrDefault(target, -1);
        Become(current.Remove(source).SetItem(target, current[source]));
        disk.Rename(source, target);
        Forget(replaced);
        Count("rename");
    }

    void Delete()
    {
        if (current.Count == 0) return;
        var path = random.Pick(current.Keys.ToArray());
        var file = current[path];
        Become(current.Remove(path));
        disk.Delete(path);
        Forget(file);
        Count("delete");
    }

    // Its handle stays open for a while, and is written to.
    void Forget(int file)
    {
        if (!handles.Remove(file, out var handle)) return;
        orphans.Add(handle);
        if (random.OneIn(2)) handle.Write(random.Bytes(3000), 0);
        if (orphans.Count < 3) return;
        orphans[0].Dispose();
        orphans.RemoveAt(0);
    }

    // The process is gone, with all that it had not given to the device. What the next one finds is durable from then on.
    void Die()
    {
        handles.Clear();
        orphans.Clear();
        disk = BlockFileSystem.Open(TestDisk.OpenFile(below), TestDisk.OffsetBytes, TestDisk.Options(rules));
        var found = FileSystemCrashCheck.ReadTree(disk);
        current = FileSystemCrashCheck.Match(found, Said());
        names = [current];
        foreach (var (path, file) in current) versions[file] = [found[path]];
        Mark();
        Count("die");
    }

    void Become(ImmutableSortedDictionary<string, int> next)
    {
        current = next;
        names.Add(next);
        Mark();
    }

    void Accept(int file, byte[] next)
    {
        versions[file].Add(next);
        Mark();
    }

    byte[] Newest(int file) => versions[file][^1];

    string PathOf(int file) => current.First(pair => pair.Value == file).Key;

    void Count(string what) => Done[what] = Done.GetValueOrDefault(what) + 1;

    void Mark() => below.Mark(Said());

    FileSystemSaid Said() => new([.. names], versions.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray()));
}

/// <summary>What a crash may leave.</summary>
sealed record FileSystemSaid(ImmutableSortedDictionary<string, int>[] Names, Dictionary<int, byte[][]> Versions);
