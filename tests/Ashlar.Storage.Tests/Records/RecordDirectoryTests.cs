using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Storage.Tests.Records;

/// <summary>A record is there as a whole or not at all, and no number is given twice.</summary>
public sealed class RecordDirectoryTests
{
    const string Directory = "/records";

    [Fact]
    public void Numbers_are_never_given_twice_also_when_no_record_is_left()
    {
        var records = Open(Create());
        for (var number = 1UL; number <= 3; number++) Assert.Equal(number, Install(records));
        records.Remove(2);
        records.Remove(3);
        Assert.Equal([1UL], records.Numbers());
        records.Remove(1);
        Assert.Empty(records.Numbers());
        Assert.Equal(4UL, Install(records));
        records.Remove(4);
        Assert.Equal(5UL, records.NextNumber());
        Assert.Equal(["deleted-000004"], records.FileSystem.List(Directory));
    }

    [Fact]
    public void A_record_that_is_damaged_or_under_a_wrong_name_is_listed_as_such()
    {
        var disk = Create();
        var records = Open(disk);
        for (var i = 0; i < 3; i++) Install(records);
        disk.Rename(records.RecordPath(3), records.RecordPath(4));
        using (var file = disk.Open(records.RecordPath(2), FileOpenMode.Existing)) file.SetLength(3);
        var found = records.ReadRecords().ToArray();
        Assert.Equal([1UL, 2UL, 4UL], found.Select(one => one.Number));
        Assert.Equal([false, true, true], found.Select(one => one.Damage is not null));
        Assert.Equal(1UL, found[0].Record!.Number);
        Assert.Equal(StorageErrorKind.NotFound, Assert.Throws<StorageException>(() => records.ReadRecord(3)).Kind);
        Assert.Throws<StorageException>(() => records.Remove(3));
    }

    [Fact]
    public void A_record_longer_than_memory_can_be_is_damage_like_any_other()
    {
        using var directory = new TemporaryDirectory();
        var records = new Shelf(FileSystems.Real, directory.DirectoryPath);
        Install(records);
        using (var file = FileSystems.Real.Open(records.RecordPath(2), FileOpenMode.CreateNew)) file.SetLength(5L << 30);
        var found = records.ReadRecords().ToArray();
        Assert.Equal([false, true], found.Select(one => one.Damage is not null));
        Assert.Equal(records.RecordPath(2), found[1].Damage!.FilePath);
    }

    [Fact]
    public void A_power_cut_at_any_moment_leaves_whole_records_and_no_number_that_is_given_again()
    {
        var disk = new SimulatedFileSystem();
        disk.CreateDirectory(Directory);
        disk.SyncDirectory("/");
        var records = Open(disk);
        for (var round = 0; round < 12; round++)
        {
            var number = Install(records);
            disk.Mark(new Given(number));
            if (round % 3 == 1) continue;
            records.Remove(number);
            disk.Mark(new Given(number));
        }

        var states = 0;
        CrashExplorer.Explore(
            disk,
            state =>
            {
                states++;
                state.Disk.CreateDirectories(Directory);
                var left = Open(state.Disk);
                var given = state.Marks.OfType<Given>().Select(mark => mark.Number).DefaultIfEmpty(0UL).Max();
                foreach (var (number, _, damage) in left.ReadRecords())
                    if (damage is not null) throw new InvalidOperationException($"record {number}: {damage.Message}");
                if (left.NextNumber() <= given) throw new InvalidOperationException($"{left.NextNumber()} was given before: {given}");
                var next = Install(left);
                if (left.ReadRecord(next).Number != next) throw new InvalidOperationException("The record after a cut does not hold.");
            },
            new CrashExplorerOptions { Seed = 1, StateBudget = 500, NestedOneIn = 0 });
        Assert.True(states > 50, $"only {states}");
    }

    static SimulatedFileSystem Create()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        disk.CreateDirectory(Directory);
        return disk;
    }

    static Shelf Open(IFileSystem disk) => new(disk);

    static ulong Install(Shelf records)
    {
        var number = records.NextNumber();
        records.Install(new Entry(number));
        return number;
    }

    /// <summary>The number was given to a record, and may not be given again.</summary>
    sealed record Given(ulong Number);

    sealed class Shelf(IFileSystem disk, string path = Directory) : RecordDirectory<Entry>(disk, path);

    sealed record Entry(ulong Number) : INumberedRecord<Entry>
    {
        public static string NamePrefix => "entry-";

        public static int NumberOffset => 0;

        public byte[] Encode()
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, Number);
            return bytes;
        }

        public static Entry Decode(ReadOnlySpan<byte> bytes, string path) => bytes.Length == 8
            ? new Entry(BinaryPrimitives.ReadUInt64LittleEndian(bytes))
            : throw new CorruptDataException(path, 0, "the record was cut off");
    }
}
