using System.Collections.Immutable;
using Ashlar.Blocks.FileSystem;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests.FileSystem;

/// <summary>Whether a file system that comes back after a crash is one that may.</summary>
static class FileSystemCrashCheck
{
    const int SectorBytes = 512;

    public static void Run(CrashState state, CommitRules? rules = null)
    {
        if (state.Marks.Count == 0) return;
        var said = (FileSystemSaid)state.Marks[^1];
        var disk = BlockFileSystem.Open(TestDisk.OpenFile(state.Disk), TestDisk.OffsetBytes, TestDisk.Options(rules));
        var found = ReadTree(disk);
        Match(found, said);
        RequireSound(disk);
        state.RecoveryDone();

        // It goes on: whatever it takes for free, nobody has.
        if (disk.GetFreeSpaceBytes("/") > 0) BlockFileSystemTests.Write(disk, "/more", [1, 2, 3], isSynced: true);
        if (disk.FileExists("/more") && state.Seed % 8 == 0) Fill(disk);
        RequireSound(disk);
        RequireSame(found, ReadTree(disk));
        var again = BlockFileSystem.Open(TestDisk.OpenFile(state.Disk), TestDisk.OffsetBytes, TestDisk.Options());
        RequireSame(found, ReadTree(again));
        RequireSound(again);
    }

    public static SortedDictionary<string, byte[]> ReadTree(IFileSystem disk)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var directory in new[] { "", "/d", "/e" })
        {
            foreach (var name in disk.List(directory.Length == 0 ? "/" : directory))
            {
                var path = $"{directory}/{name}";
                if (!disk.DirectoryExists(path)) found.Add(path, BlockFileSystemTests.Read(disk, path));
            }
        }

        return found;
    }

    /// <summary>The files that the names stand for.</summary>
    public static ImmutableSortedDictionary<string, int> Match(SortedDictionary<string, byte[]> found, FileSystemSaid said)
    {
        string? problem = null;
        foreach (var names in said.Names)
        {
            if (!names.Keys.Order(StringComparer.Ordinal).SequenceEqual(found.Keys)) continue;
            problem = null;
            foreach (var (path, file) in names)
                problem ??= FindProblem(path, found[path], said.Versions[file]);
            if (problem is null) return names;
        }

        throw new InvalidOperationException(problem ?? $"no moment had the names {string.Join(' ', found.Keys)}");
    }

    static string? FindProblem(string path, byte[] found, byte[][] versions)
    {
        if (!versions.Any(version => version.Length == found.Length)) return $"{path} never was {found.Length} bytes long";
        for (var start = 0; start < found.Length; start += SectorBytes)
        {
            var sector = found.AsSpan(start, Math.Min(SectorBytes, found.Length - start));
            var isKnown = false;
            foreach (var version in versions) isKnown |= Has(version, start, sector);
            if (!isKnown) return $"{path} of {found.Length} bytes never held what it holds at {start}, in {versions.Length} versions";
        }

        return null;
    }

    // Zeros behind the end of a version: a length may survive without what was written.
    static bool Has(byte[] version, int start, ReadOnlySpan<byte> sector)
    {
        var there = Math.Clamp(version.Length - start, 0, sector.Length);
        return sector[..there].SequenceEqual(version.AsSpan(Math.Min(start, version.Length), there))
            && !sector[there..].ContainsAnyExcept((byte)0);
    }

    static void Fill(BlockFileSystem disk)
    {
        using var file = disk.Open("/more", FileOpenMode.Existing);
        file.Write(Enumerable.Repeat((byte)0xEE, checked((int)disk.GetFreeSpaceBytes("/"))).ToArray(), 0);
        file.Sync();
    }

    static void RequireSame(SortedDictionary<string, byte[]> before, SortedDictionary<string, byte[]> now)
    {
        foreach (var (path, content) in before)
        {
            if (path != "/more" && !content.AsSpan().SequenceEqual(now[path]))
                throw new InvalidOperationException($"{path} changed when another file was written");
        }
    }

    static void RequireSound(BlockFileSystem disk)
    {
        if (disk.Verify() is { IsSound: false } check)
            throw new InvalidOperationException(
                $"{check}, leaked {string.Join(' ', check.Leaked)}, twice {string.Join(' ', check.DoublyOwned)}");
    }
}
