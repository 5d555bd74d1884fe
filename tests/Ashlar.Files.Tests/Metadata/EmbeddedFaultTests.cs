using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Files.Tests;

/// <summary>The disk of the metadata refuses: what is refused is not there, what was answered is, and counts stay exact.</summary>
public sealed class EmbeddedFaultTests
{
    static readonly string[] Files = ["/d/first", "/d/second"];

    [Theory]
    [InlineData(FaultKind.InputOutputError)]
    [InlineData(FaultKind.NoSpaceHalfWay)]
    [InlineData(FaultKind.LostSync)]
    public void Each_operation_of_the_disk_fails_once(FaultKind kind)
    {
        var operations = kind == FaultKind.LostSync ? FaultOperations.Sync : FaultOperations.Write | FaultOperations.Sync;
        var failed = FaultSweep.Run(
            new FaultRule(operations, kind) { PathPattern = "/metadata*" },
            () => new SimulatedFileSystem(isRecording: false),
            disk => RunAsync(disk).GetAwaiter().GetResult());
        Assert.True(failed >= (kind == FaultKind.LostSync ? 3 : 8), $"only {failed} operations failed");
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_made_and_files_can_be_deleted()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var options = EmbeddedStores.Options(disk, new SimulatedClock()) with { SpaceReserveBytes = 2 << 20 };
        await using var store = EmbeddedMetadataStore.Open(EmbeddedStores.Directory, options);
        var customer = (await store.CreateCustomerAsync("customer", Quota.None)).Id;
        disk.CapacityBytes = 12 << 20;
        var made = 0UL;
        var refused = await Assert.ThrowsAsync<StorageException>(async () =>
        {
            for (; made < 10_000; made++) await PutAsync(made);
        });
        Assert.Equal(StorageErrorKind.NoSpace, refused.Kind);
        Assert.Equal(new((long)made * 4096, (long)made, 0), await store.GetUsageAsync(customer));
        for (var file = 0UL; file < 20; file++) await store.DeleteFileAsync(customer, FilePath.Parse($"/{file}"));
        Assert.Equal(new(((long)made - 20) * 4096, (long)made - 20, 0), await store.GetUsageAsync(customer));
        disk.CapacityBytes = 1L << 40;
        await PutAsync(made);

        Task PutAsync(ulong file) => store.CommitInlineAsync(
            customer, file + 1, new() { Path = FilePath.Parse($"/{file}"), Tag = "", Inline = new byte[4096] });
    }

    [Fact]
    public async Task Counts_of_a_directory_of_the_root_go_with_it()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var round = 0; round < 3; round++)
        {
            await rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/d"));
            var names = Enumerable.Range(0, 8).Select(number => $"/d/{number}").ToArray();
            await Task.WhenAll(names.Select(name => rig.PutAsync(name, [1])));
            foreach (var name in names) await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse(name));
            await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/d"));
            using var rows = rig.Store.Rows.Scan(KeyRange.Prefix(MetadataKeys.Table(MetadataKeys.UsageTable)));
            Assert.False(rows.MoveNext());
        }
    }

    [Fact]
    public void What_is_no_metadata_is_not_taken_for_it()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var options = EmbeddedStores.Options(disk, new SimulatedClock());
        using (var other = KeyValueStore.Open(EmbeddedStores.Directory, options)) other.Put("key"u8, "value"u8);
        Assert.Throws<UnsupportedFormatException>(() => EmbeddedMetadataStore.Open(EmbeddedStores.Directory, options));
        using (var other = KeyValueStore.Open(EmbeddedStores.Directory, options)) other.Put(MetadataKeys.Format, new byte[12]);
        Assert.Throws<UnsupportedFormatException>(() => EmbeddedMetadataStore.Open(EmbeddedStores.Directory, options));
    }

    static async Task RunAsync(FaultyFileSystem disk)
    {
        var clock = new SimulatedClock();
        var (done, inDoubt, customer) = (new HashSet<string>(), new HashSet<string>(), default(CustomerId?));
        try
        {
            await using var store = EmbeddedStores.Open(disk, clock);
            customer = (await store.CreateCustomerAsync("customer", Quota.None)).Id;
            await TryAsync("/d", () => store.CreateDirectoryAsync(customer.Value, FilePath.Parse("/d")));
            for (var i = 0; i < Files.Length; i++)
            {
                var (id, file) = ((ulong)i + 1, new FileCommit { Path = FilePath.Parse(Files[i]), Tag = "", Inline = new byte[100] });
                await TryAsync(Files[i], () => store.CommitInlineAsync(customer.Value, id, file));
            }
        }
        catch (Exception failure) when (failure is StorageException or StorePoisonedException or UnknownOutcomeException)
        {
            // It was not opened, or has no customer.
        }

        disk.Heal();
        await using var after = EmbeddedStores.Open(disk, clock);
        var found = await after.FindCustomerAsync("customer");
        if (customer is { } known) Assert.Equal(known, found!.Id);
        if (found is null) return;
        var entries = (await after.ListAsync(found.Id, new() { IsRecursive = true })).Entries;
        var names = entries.Select(entry => entry.Path.ToString()).ToHashSet();
        Assert.Superset(done, names);
        Assert.Subset(done.Concat(inDoubt).ToHashSet(), names);
        StoreInvariants.Check(after, new DiskNodes(new SimulatedFileSystem(isRecording: false)));

        async Task TryAsync(string path, Func<Task> act)
        {
            try
            {
                await act();
                done.Add(path);
            }
            catch (UnknownOutcomeException)
            {
                inDoubt.Add(path);
            }
            catch (Exception refused) when (refused is StorageException or FileStoreException)
            {
                // Nothing of it is there.
            }
        }
    }
}
