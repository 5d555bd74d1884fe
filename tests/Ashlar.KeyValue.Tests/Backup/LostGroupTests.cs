using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Backups of a store whose open log has lost something that was durable.</summary>
[Trait("disk", "any")]
public sealed class LostGroupTests : IDisposable
{
    const string Backups = "/backups";

    readonly IFileSystem disk = TestStore.AnyDisk();
    readonly KeyValueOptions options;
    readonly KeyValueStore store;
    readonly List<long> groups = [LogSegmentHeader.SizeBytes];

    public LostGroupTests()
    {
        options = TestStore.Small(disk);
        store = KeyValueStore.Open(TestStore.Directory, options);
    }

    string LogPath => $"{TestStore.Directory}/{disk.List(TestStore.Directory).Last(name => StoreFiles.IsLogName(name, out _))}";

    public void Dispose() => store.Dispose();

    [Fact]
    public void An_open_log_that_holds_all_of_it_can_be_backed_up()
    {
        for (var group = 0; group < 3; group++) Put(group);
        Assert.Equal(3UL, store.BackUp(Backups).Sequence);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_backup_is_refused_if_a_group_of_the_open_log_reads_as_zeros(int lost)
    {
        for (var group = 0; group < 3; group++) Put(group);
        Overwrite(groups[lost], new byte[groups[lost + 1] - groups[lost]]);
        RefusesAt(groups[lost]);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 60)]
    [InlineData(1, LogGroupHeader.SizeBytes + 20)]
    [InlineData(2, LogGroupHeader.SizeBytes + 2)]
    [InlineData(2, LogGroupHeader.SizeBytes + LogEntry.HeaderBytes + 3)]
    public void A_backup_is_refused_if_a_group_of_the_open_log_is_damaged(int damaged, int at)
    {
        for (var group = 0; group < 3; group++) Put(group);
        using (var file = disk.Open(LogPath, FileOpenMode.Existing))
        {
            var one = new byte[1];
            file.Read(one, groups[damaged] + at);
            one[0] ^= 1;
            file.Write(one, groups[damaged] + at);
        }

        RefusesAt(groups[damaged]);
    }

    [Fact]
    public void A_backup_is_refused_if_a_group_of_the_open_log_is_replaced_by_one_that_continues_another()
    {
        for (var group = 0; group < 3; group++) Put(group);
        var bytes = new byte[LogGroupHeader.SizeBytes];
        using (var file = disk.Open(LogPath, FileOpenMode.Existing))
        {
            var head = new byte[LogSegmentHeader.SizeBytes];
            file.Read(head, 0);
            var segment = LogSegmentHeader.Read(head, LogPath);
            file.Read(bytes, groups[2]);
            Assert.True(LogGroupHeader.TryRead(bytes, segment, segment.Seed, groups[2], out var last, out var crc));
            (last with { PreviousHeaderCrc = crc }).Write(bytes, segment.Seed);
        }

        Overwrite(groups[2], bytes);
        RefusesAt(groups[2]);
    }

    [Fact]
    public void A_log_with_a_torn_tail_that_is_only_read_can_be_backed_up()
    {
        for (var group = 0; group < 3; group++) Put(group);
        var copy = StoreImage.Take(disk);
        copy.Files[Path.GetFileName(LogPath)][groups[2] + LogGroupHeader.SizeBytes] ^= 1;
        using var reader = KeyValueStore.Open(TestStore.Directory, options with { FileSystem = copy.ToDisk(), ReadOnly = true });
        reader.BackUp(Backups);
    }

    void Put(int number)
    {
        store.Put($"key{number}", new string('v', 40));
        groups.Add(LogGroupHeader.Align(groups[^1] + LogGroupHeader.SizeBytes + LogEntry.HeaderBytes + 4 + 40));
    }

    void Overwrite(long offset, byte[] bytes)
    {
        using var file = disk.Open(LogPath, FileOpenMode.Existing);
        file.Write(bytes, offset);
    }

    void RefusesAt(long offset)
    {
        var error = Assert.Throws<CorruptDataException>(() => store.BackUp(Backups));
        Assert.Equal((LogPath, offset), (error.FilePath, error.OffsetBytes));
        if (disk.DirectoryExists(Backups)) Assert.Empty(new KeyValueBackups(Backups, options).List());
    }
}
