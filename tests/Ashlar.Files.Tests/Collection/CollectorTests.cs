using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>The collector, the sweep and the verifier on their own; races have tests of their own.</summary>
public sealed class CollectorTests
{
    static readonly CollectionReport Nothing = new(0, 0, 0, 0, 0, 0);

    [Fact]
    public async Task A_deleted_file_goes_in_two_periods()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.PutAsync("/f", FileRig.Content(20_000));
        await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/f"));
        var collector = new Collector(rig.Store, rig.Nodes);
        Assert.Equal(Nothing, await collector.RunAsync());
        rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(Nothing with { Condemned = 3 }, await collector.RunAsync());
        rig.Clock.Advance(TimeSpan.FromDays(1));
        rig.Nodes.Away.Add(new(1));
        Assert.Equal(Nothing with { Deleting = 3, Waiting = 3 }, await collector.RunAsync());
        rig.Nodes.Away.Clear();
        Assert.Equal(Nothing with { Deleted = 3, DeletedBytes = 20_000 }, await collector.RunAsync());
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task Whatever_the_pages_are_a_pass_does_everything()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var i = 0; i < 12; i++) await rig.PutAsync($"/{i}", FileRig.Content(5000, (ulong)i / 2));
        for (var i = 0; i < 12; i += 1 + (i % 2)) await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse($"/{i}"));
        // Some of the blocks are held by pins, and stay in the list or leave it.
        var intent = await rig.Store.OpenIntentAsync(rig.Customer, 99, FilePath.Parse("/x"), "a test", TimeSpan.FromDays(9));
        await rig.Store.PinAsync(intent.Token, [new(ContentHash.Of(FileRig.Content(5000, 0)), 5000)]);
        var collector = new Collector(rig.Store, rig.Nodes, FileRig.NoPeriods with { PageRows = 2 });
        await collector.RunAsync();
        Assert.Equal(Nothing, await collector.RunAsync());
        Assert.True(await rig.Store.ReleaseIntentAsync(intent.Token, []));
        await collector.RunAsync();
        Assert.Equal(Nothing, await collector.RunAsync());
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task It_can_be_paused_and_goes_no_faster_than_it_may()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            await rig.PutAsync($"/{i}", FileRig.Content(5000, (ulong)i));
            await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse($"/{i}"));
        }

        var pace = new SimulatedClock();
        var options = FileRig.NoPeriods with { StepsPerSecond = 10, TimeProvider = pace };
        var collector = new Collector(rig.Store, rig.Nodes, options) { IsPaused = true };
        var pass = collector.RunAsync();
        var steps = 0;
        while (!pass.IsCompleted)
        {
            await TestKit.Waiting.UntilAsync(
                () => pass.IsCompleted || pace.UntilNextTimer is not null || collector.IsPaused, "the next step");
            if (steps == 1 && collector.IsPaused)
            {
                Assert.Equal(5, (await rig.Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Count);
                collector.IsPaused = false;
                continue;
            }

            if (pace.UntilNextTimer is not { } wait) continue;
            pace.Advance(wait);
            steps++;
        }

        // Five are condemned, five begun, and two copies of each removed; three nodes are asked for what is in their trash.
        Assert.Equal(Nothing with { Condemned = 5, Deleting = 5, Deleted = 5, DeletedBytes = 25_000 }, await pass);
        Assert.Equal(23, steps);
        Assert.Equal(TimeSpan.FromSeconds(2.3), pace.Elapsed);
        using var ended = new CancellationTokenSource();
        await ended.CancelAsync();
        await rig.PutAsync("/f", FileRig.Content(5000));
        await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/f"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => collector.RunAsync(ended.Token));
    }

    [Fact]
    public async Task A_copy_that_came_too_late_is_found_by_the_sweep()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.PutAsync("/f", FileRig.Content(5000));
        var late = FileRig.Content(6000, 2);
        var name = new BlockName(ContentHash.Of(late), 4711);
        rig.Nodes.Put(new(2), rig.Customer, name, late);
        rig.Nodes.Put(new(3), new(77), name, late);
        rig.Nodes.Away.Add(new(1));
        var sweep = new InventorySweep(rig.Store, rig.Nodes, new() { PageRows = 1 });
        rig.Nodes.HeldFor = TimeSpan.FromHours(1);
        Assert.Equal(0, (await sweep.RunAsync(TimeSpan.FromHours(2))).Adopted);
        Assert.Equal(new SweepReport(3, 1, 1, 1), await sweep.RunAsync(TimeSpan.FromHours(1)));
        Assert.Equal(Nothing with { Deleted = 1, DeletedBytes = 6000 }, await rig.Collector.RunAsync());
        Assert.Equal(new SweepReport(2, 0, 1, 1), await sweep.RunAsync(TimeSpan.FromHours(1)));
        rig.Nodes.Lose(new(3), name);
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_sweep_goes_on_where_another_has_come_to()
    {
        await using var rig = await FileRig.CreateAsync();
        for (ulong node = 1; node <= 3; node++)
        {
            for (ulong i = 0; i < 4; i++)
            {
                var late = FileRig.Content(6000, (10 * node) + i);
                rig.Nodes.Put(new(node), rig.Customer, new(ContentHash.Of(late), 4711 + (10 * node) + i), late);
            }
        }

        var places = new List<SweepPlace>();
        var sweep = new InventorySweep(rig.Store, rig.Nodes, new() { PageRows = 1 });
        await Assert.ThrowsAsync<InvalidOperationException>(() => sweep.RunAsync(TimeSpan.Zero, null, Pass));
        Assert.Equal(new(2), places[^1].Node);
        Assert.Equal(new SweepReport(6, 6, 0, 0), await sweep.RunAsync(TimeSpan.Zero, places[^1], null));
        Assert.Equal(new SweepReport(12, 0, 0, 0), await sweep.RunAsync(TimeSpan.Zero));

        Task Pass(SweepPlace place)
        {
            places.Add(place);
            return places.Count < 6 ? Task.CompletedTask : throw new InvalidOperationException("cut off");
        }
    }

    [Fact]
    public async Task What_a_deleted_customer_left_on_nodes_is_found_by_the_sweep()
    {
        await using var rig = await FileRig.CreateAsync();
        var former = (await rig.Store.CreateCustomerAsync("former", Quota.None)).Id;
        await rig.Store.DeleteCustomerAsync(former);
        var late = FileRig.Content(6000, 2);
        rig.Nodes.Put(new(2), former, new(ContentHash.Of(late), 4711), late);
        rig.Nodes.Put(new(3), new(former.Value + 1), new(ContentHash.Of(late), 4711), late);
        Assert.Equal(new SweepReport(2, 1, 1, 0), await new InventorySweep(rig.Store, rig.Nodes).RunAsync(TimeSpan.Zero));
        Assert.Equal(Nothing with { Deleted = 1, DeletedBytes = 6000 }, await rig.Collector.RunAsync());
        rig.Nodes.Lose(new(3), new(ContentHash.Of(late), 4711));
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_damaged_row_keeps_nothing_else_from_being_collected()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            await rig.PutAsync($"/{i}", FileRig.Content(5000, (ulong)i));
            await rig.Store.OpenIntentAsync(rig.Customer, (ulong)i + 1, FilePath.Parse("/x"), "a test", FileRig.Lease);
        }

        var names = new List<BlockName>();
        for (var i = 0; i < 5; i++) names.Add((await rig.Store.GetFileAsync(rig.Customer, FilePath.Parse($"/{i}"))).Blocks[0].Name);
        for (var i = 0; i < 5; i++) await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse($"/{i}"));
        rig.Store.Rows.Put(MetadataKeys.Intent(rig.Customer, 3), [77]);
        rig.Store.Rows.Put(MetadataKeys.Block(rig.Customer, names[2]), [77]);
        rig.Clock.Advance(2 * FileRig.Lease);
        var report = await rig.Collector.RunAsync();
        Assert.Equal((4, 4, 4, 4), (report.Released, report.Condemned, report.Deleting, report.Deleted));
        Assert.True(report.Damaged >= 2, $"{report.Damaged}");
        // Who asks for what is damaged is told.
        await Assert.ThrowsAsync<Storage.CorruptDataException>(() => rig.Store.GetLocationsAsync(rig.Customer, [names[2]]));
        await Assert.ThrowsAsync<Storage.CorruptDataException>(() => rig.Store.ListIntentsAsync(rig.Customer, null, false, 10));
    }

    [Fact]
    public async Task The_verifier_proves_what_is_there_and_names_what_is_not()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.PutAsync("/small", FileRig.Content(10));
        await rig.PutAsync("/f", FileRig.Content(20_000));
        await rig.PutAsync("/g", FileRig.Content(20_000));
        var verifier = new FileVerifier(rig.Store, rig.Nodes);
        var proved = await verifier.RunAsync();
        Assert.True(proved.IsProved);
        Assert.Equal((3, 3, 6, 0), (proved.Files, proved.Blocks, proved.Copies, proved.Unreachable));

        var blocks = (await rig.Store.GetFileAsync(rig.Customer, FilePath.Parse("/f"))).Blocks;
        rig.Nodes.Damage(new(1), blocks[0].Name);
        rig.Nodes.Lose(new(2), blocks[1].Name);
        var found = await verifier.RunAsync(rig.Customer);
        Assert.False(found.IsProved);
        Assert.Equal(
            ["/f: damaged on 1", "/f: missing on 2", "/g: damaged on 1", "/g: missing on 2"],
            found.Problems
                .Select(problem => $"{problem.Path}: {problem.Problem.Split(' ')[^1]} on {problem.Node!.Value.Value}")
                .Order(StringComparer.Ordinal));
        Assert.Empty((await verifier.RunAsync(new CustomerId(99))).Problems);

        // What nobody can read now is not proved; what one answers for is.
        rig.Nodes.Away.Add(new(1));
        Assert.Equal(2, (await verifier.RunAsync()).Problems.Count);
        await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/g"));
        rig.Nodes.Away.Add(new(2));
        Assert.All((await verifier.RunAsync()).Problems, problem => Assert.Null(problem.Node));
    }
}
