using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.Repair;

/// <summary>Blocks get back the copies that they lose, and lose none that they need.</summary>
public sealed class RepairTests
{
    readonly SimulatedClock clock = new();

    [Fact]
    public async Task A_copy_that_was_found_damaged_is_made_anew_and_the_damaged_one_taken_away()
    {
        await using var rig = NewRig(4);
        var block = await StoreAsync(rig, 1);
        var victim = block.Durable[0];
        rig.Damage(victim, block.Name);
        var repair = NewRepair(rig);
        repair.Report(NodeExtensions.Owner, block.Name, victim, CopyProblem.Damaged);
        repair.Report(NodeExtensions.Owner, block.Name, victim, CopyProblem.Damaged);
        Assert.Equal(1, repair.ReportedCount);
        Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Whole]);
        await AssertWholeAsync(rig, block.Name, 3);
        Assert.Empty(await repair.RunAsync());
    }

    [Fact]
    public async Task With_no_other_node_a_damaged_copy_is_replaced_where_it_is()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        rig.Damage(block.Durable[0], block.Name);
        Assert.Equal(RepairOutcome.Whole, await NewRepair(rig).RepairAsync(Key(block)));
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task Blocks_with_one_copy_left_come_before_those_with_two()
    {
        await using var rig = NewRig(3);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 6; number++) blocks.Add(await StoreAsync(rig, number));
        foreach (var (block, index) in blocks.Select((block, index) => (block, index)))
        {
            var kept = block.Durable.Take(index % 2 == 0 ? 2 : 1).ToArray();
            foreach (var node in block.Durable.Except(kept)) await rig[node].RemoveAsync(block.Name, default);
            rig.Catalogue.Put(block.Name, block.LengthBytes, 3, kept);
        }

        var fewest = new List<int>();
        rig.Catalogue.BeforeReplace = () => fewest.Add(rig.Catalogue.FewestCopies);
        var outcomes = await NewRepair(rig).RunAsync();
        Assert.Equal(6, outcomes[RepairOutcome.Whole]);
        foreach (var block in blocks) await AssertWholeAsync(rig, block.Name, 3);
        Assert.Equal([1, 1, 1, 2, 2, 2], fewest);
    }

    [Fact]
    public async Task A_copy_that_nobody_recorded_is_verified_and_adopted()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        rig.Catalogue.Put(block.Name, block.LengthBytes, 3, block.Durable.Take(2));
        var installs = rig.Nodes.Sum(node => node.Calls.Count(call => call == NodeCall.Install));
        Assert.Equal(1, (await NewRepair(rig).RunAsync())[RepairOutcome.Whole]);
        Assert.Equal(installs, rig.Nodes.Sum(node => node.Calls.Count(call => call == NodeCall.Install)));
        await AssertWholeAsync(rig, block.Name, 3);

        // One that is damaged is not.
        rig.Catalogue.Put(block.Name, block.LengthBytes, 3, block.Durable.Take(2));
        rig.Damage(block.Durable[2], block.Name);
        Assert.Equal(1, (await NewRepair(rig).RunAsync())[RepairOutcome.Whole]);
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_was_written_when_there_were_fewer_nodes_gets_as_many_copies_as_what_is_written_now(int nodes)
    {
        await using var rig = NewRig(nodes);
        var repair = NewRepair(rig);
        var block = await StoreAsync(rig, 1);
        Assert.Empty(await repair.RunAsync());
        for (var count = nodes; count < 3; count++) rig.Add();
        Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Whole]);
        Assert.Equal(3, rig.Catalogue[block.Name].WantedCopies);
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task What_was_written_between_the_loss_of_a_node_and_its_replacement_gets_its_third_copy()
    {
        await using var rig = NewRig(3);
        var repair = NewRepair(rig);
        await repair.RunAsync();
        rig.Nodes[0].DieAfter(0);
        rig.Known.MarkGone(rig.Nodes[0].Id);
        var block = await StoreAsync(rig, 1);
        Assert.Equal(2, block.WantedCopies);
        await repair.RunAsync();
        rig.Add();
        Assert.Equal(1, (await repair.RunAsync())[RepairOutcome.Whole]);
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task A_node_that_replaces_another_can_be_the_only_one_afterwards()
    {
        await using var rig = NewRig(1);
        var block = await StoreAsync(rig, 1);
        rig.Add();
        Assert.Equal(1, (await NewCare(rig).DrainAsync(rig.Nodes[0].Id))[RepairOutcome.Whole]);
        Assert.Equal([rig.Nodes[1].Id], rig.Catalogue[block.Name].Nodes);

        // It takes blocks again: there are two nodes, and everything is to be on both.
        rig.Known.SetDraining(rig.Nodes[0].Id, false);
        Assert.Equal(1, (await NewRepair(rig).RunAsync())[RepairOutcome.Whole]);
        await AssertWholeAsync(rig, block.Name, 2);
    }

    [Fact]
    public async Task Whoever_looks_after_a_block_wants_as_many_copies_as_there_are_of_new_ones()
    {
        await using var rig = NewRig(1);
        var block = await StoreAsync(rig, 1);
        rig.Add().Health = health => health with { FreeBytes = 10 };
        Assert.Equal(RepairOutcome.Short, await NewRepair(rig).RepairAsync(Key(block)));
        Assert.Single(await rig.Catalogue.ListUnderReplicatedAsync(null, 10));
        Assert.Equal(2, rig.Catalogue[block.Name].WantedCopies);
    }

    [Fact]
    public async Task Where_no_copy_is_good_nothing_is_changed()
    {
        await using var rig = NewRig(4);
        var block = await StoreAsync(rig, 1);
        foreach (var node in block.Durable) rig.Damage(node, block.Name);
        var row = rig.Catalogue[block.Name];
        Assert.Equal(RepairOutcome.Unreadable, await NewRepair(rig).RepairAsync(Key(block)));
        Assert.Equal(row, rig.Catalogue[block.Name]);
        Assert.DoesNotContain(rig.Nodes, node => node.Calls.Contains(NodeCall.Remove));
    }

    [Fact]
    public async Task The_last_copy_comes_back_from_what_was_taken_away()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        foreach (var node in block.Durable) await rig[node].RemoveAsync(block.Name, default);
        Assert.Equal(RepairOutcome.Whole, await NewRepair(rig).RepairAsync(Key(block)));
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task A_node_that_is_away_for_a_moment_is_waited_for_and_one_that_is_lost_is_replaced()
    {
        await using var rig = NewRig(4);
        var block = await StoreAsync(rig, 1);
        var lost = block.Durable[0];
        rig[lost].DieAfter(0);
        var (repair, care) = (NewRepair(rig), NewCare(rig));
        Assert.Equal(RepairOutcome.Short, await repair.RepairAsync(Key(block)));
        Assert.Empty(await care.ReplaceLostAsync(lost));
        Assert.Contains(lost, rig.Catalogue[block.Name].Nodes);
        clock.JumpWallClock(TimeSpan.FromDays(30));
        Assert.False(rig.Known.IsLost(lost));
        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(1, (await care.ReplaceLostAsync(lost))[RepairOutcome.Whole]);
        Assert.DoesNotContain(lost, rig.Catalogue[block.Name].Nodes);
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task With_one_copy_left_nobody_is_waited_for()
    {
        await using var rig = NewRig(5);
        var block = await StoreAsync(rig, 1);
        foreach (var node in block.Durable.Take(2)) rig[node].DieAfter(0);
        Assert.Equal(RepairOutcome.Whole, await NewRepair(rig).RepairAsync(Key(block)));
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task A_node_that_comes_back_loses_what_has_become_too_much_only_after_the_others_were_verified()
    {
        await using var rig = NewRig(4);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 12; number++) blocks.Add(await StoreAsync(rig, number));
        var node = rig.Nodes[0];
        var had = blocks.Where(block => block.Durable.Contains(node.Id)).ToList();
        node.DieAfter(0);
        await rig.Known.GetHealthAsync();
        rig.Known.MarkGone(node.Id);
        var care = NewCare(rig);
        Assert.Equal(had.Count, (await care.ReplaceLostAsync(node.Id))[RepairOutcome.Whole]);

        // Meanwhile one of the copies that replaced them has rotted: that block needs what the node has.
        var rotten = rig.Catalogue[had[0].Name].Nodes[0];
        rig.Damage(rotten, had[0].Name);
        await node.Inner.RemoveAsync(had[1].Name, default);
        await node.Inner.PutAsync(NodeExtensions.Content(500, 100), generation: 77);
        node.Before = null;
        var compared = await care.CompareAsync(node.Id);
        Assert.Equal(1, compared.Strangers);
        Assert.InRange(compared.Surplus, had.Count - 2, had.Count - 1);
        foreach (var block in blocks) await AssertWholeAsync(rig, block.Name, 3);
        Assert.NotNull(await node.FindAsync(NodeExtensions.NameOf(NodeExtensions.Content(500, 100), 77), default));
    }

    [Fact]
    public async Task A_copy_of_a_block_that_an_upload_has_pinned_stays()
    {
        await using var rig = NewRig(4);
        var (block, fourth) = await StoreWithSurplusAsync(rig);
        rig.Catalogue.Pinned.Add(block.Name);
        Assert.Equal(0, (await NewCare(rig).CompareAsync(fourth.Id)).Surplus);
        Assert.NotNull(await fourth.FindAsync(block.Name, default));
        rig.Catalogue.Pinned.Clear();
        Assert.Equal(1, (await NewCare(rig).CompareAsync(fourth.Id)).Surplus);
        Assert.Null(await fourth.FindAsync(block.Name, default));
    }

    [Fact]
    public async Task A_copy_that_took_the_place_of_the_one_that_was_looked_at_stays()
    {
        await using var rig = NewRig(4);
        var (block, fourth) = await StoreWithSurplusAsync(rig);
        fourth.Before = async call =>
        {
            if (call != NodeCall.Remove) return;
            fourth.Before = null;
            await fourth.Inner.PutAsync(NodeExtensions.Content(1, 70_001));
            rig.Catalogue.Put(block.Name, block.LengthBytes, 3, [.. block.Durable, fourth.Id]);
        };
        Assert.Equal(0, (await NewCare(rig).CompareAsync(fourth.Id)).Surplus);
        await AssertWholeAsync(rig, block.Name, 4);
    }

    [Fact]
    public async Task A_copy_that_is_recorded_before_the_row_is_read_stays()
    {
        await using var rig = NewRig(4);
        var (block, fourth) = await StoreWithSurplusAsync(rig);
        rig.Catalogue.BeforePinned = () => rig.Catalogue.Put(block.Name, block.LengthBytes, 3, [.. block.Durable, fourth.Id]);
        Assert.Equal(0, (await NewCare(rig).CompareAsync(fourth.Id)).Surplus);
        await AssertWholeAsync(rig, block.Name, 4);
    }

    // A block with three copies that are listed and one that is not.
    static async Task<(StoredCopies Block, ScriptedNode Fourth)> StoreWithSurplusAsync(NodeRig rig)
    {
        var block = await StoreAsync(rig, 1);
        var fourth = rig.Nodes.Single(node => !block.Durable.Contains(node.Id));
        await BlockCopy.RunAsync(rig[block.Durable[0]], fourth, block.Block, rig.Buffers, null, default);
        return (block, fourth);
    }

    [Fact]
    public async Task A_node_whose_flush_has_failed_is_copied_from_and_given_up_after_a_while()
    {
        await using var rig = NewRig(4);
        var block = await StoreAsync(rig, 1);
        var suspect = rig[block.Durable[0]];
        FailFlush(suspect);

        // It has the only copy that can be had.
        foreach (var node in block.Durable.Skip(1)) rig.Damage(node, block.Name);
        Assert.Equal(RepairOutcome.Whole, await NewRepair(rig).RepairAsync(Key(block)));
        Assert.DoesNotContain(suspect.Id, rig.Catalogue[block.Name].Nodes);
        await AssertWholeAsync(rig, block.Name, 3);

        Assert.False(rig.Known.IsLost(suspect.Id));
        clock.Advance(rig.Options.LostAfter);
        Assert.True(rig.Known.IsLost(suspect.Id));
        suspect.Health = null; // It was opened anew.
        await rig.Known.GetHealthAsync();
        Assert.False(rig.Known.IsLost(suspect.Id));
    }

    [Fact]
    public async Task What_a_node_should_have_and_has_not_is_found_when_it_is_compared()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        await rig[block.Durable[1]].RemoveAsync(block.Name, default);
        Assert.Equal(1, (await NewCare(rig).CompareAsync(block.Durable[1])).Lacking);
        await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task A_node_can_be_emptied_where_the_others_have_room()
    {
        await using var rig = NewRig(4);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 10; number++) blocks.Add(await StoreAsync(rig, number));
        var node = rig.Nodes[0];
        var care = NewCare(rig);
        Assert.Empty((await care.CheckDrainAsync(node.Id)).Problems);
        var outcomes = await care.DrainAsync(node.Id);
        Assert.Equal([RepairOutcome.Whole], outcomes.Keys);
        Assert.Empty(await node.ListAllAsync());
        foreach (var block in blocks)
        {
            await AssertWholeAsync(rig, block.Name, 3);
            Assert.DoesNotContain(node.Id, rig.Catalogue[block.Name].Nodes);
        }

        var after = await StoreAsync(rig, 50);
        Assert.DoesNotContain(node.Id, after.Durable);
    }

    [Fact]
    public async Task A_node_that_cannot_be_emptied_says_why_and_keeps_what_nobody_else_has()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        var node = block.Durable[0];
        var care = NewCare(rig);
        var problem = Assert.Single((await care.CheckDrainAsync(node)).Problems);
        Assert.Contains("are to have 3 copies, and 2 other nodes", problem, StringComparison.Ordinal);
        Assert.Equal(1, (await care.DrainAsync(node))[RepairOutcome.Short]);
        await AssertWholeAsync(rig, block.Name, 3);
        Assert.DoesNotContain(rig.Nodes, one => one.Calls.Contains(NodeCall.Remove));

        rig.Add().Health = health => health with { FreeBytes = 10 };
        var problems = (await care.CheckDrainAsync(node)).Problems;
        Assert.Contains("for 1 of 1 blocks no other node", string.Join('\n', problems), StringComparison.Ordinal);
        foreach (var one in rig.Nodes) await one.Inner.RemoveAsync(block.Name, default);
        Assert.Contains("no copy can be read", string.Join('\n', (await care.CheckDrainAsync(node)).Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_copy_of_a_node_that_does_not_belong_to_the_store_any_more_is_copied_and_counts_for_nothing(bool isGone)
    {
        await using var rig = NewRig(4);
        var block = await StoreAsync(rig, 1);
        var victim = block.Durable[0];
        if (isGone) rig.Known.MarkGone(victim);
        else rig.Known.Register(victim, isMember: false);
        Assert.Equal(2, (await rig.Chunks.FindCopiesAsync(rig.Catalogue[block.Name])).Count);
        foreach (var node in block.Durable.Skip(1)) rig.Damage(node, block.Name);
        Assert.Equal(1, (await NewCare(rig).ReplaceLostAsync(victim))[RepairOutcome.Whole]);
        Assert.DoesNotContain(victim, rig.Catalogue[block.Name].Nodes);
        await AssertWholeAsync(rig, block.Name, 3);
        var problem = (await NewCare(rig).CheckDrainAsync(rig.Catalogue[block.Name].Nodes[0])).Problems[0];
        Assert.Contains("are to have 3 copies, and 2 other nodes", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_copy_of_a_node_that_left_stays_known_as_long_as_others_are_too_few()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        var victim = block.Durable[0];
        rig.Known.MarkGone(victim);
        foreach (var node in block.Durable.Skip(1)) await rig[node].RemoveAsync(block.Name, default);
        foreach (var node in rig.Nodes) node.Health = health => health with { FreeBytes = 10 };
        Assert.Equal(1, (await NewCare(rig).ReplaceLostAsync(victim))[RepairOutcome.Short]);
        Assert.Equal([victim], rig.Catalogue[block.Name].Nodes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_that_is_emptied_and_cannot_vouch_for_its_copy_keeps_it_where_there_are_too_few(bool isSuspect)
    {
        await using var rig = NewRig(2);
        var block = await StoreAsync(rig, 1);
        var (leaving, other) = (rig[block.Durable[0]], rig[block.Durable[1]]);
        if (isSuspect) FailFlush(leaving);
        else leaving.DieAfter(0);
        Assert.Equal(1, (await NewCare(rig).DrainAsync(leaving.Id))[RepairOutcome.Short]);
        Assert.Contains(leaving.Id, rig.Catalogue[block.Name].Nodes);

        // The other one is lost.
        rig.Known.SetDraining(leaving.Id, false);
        if (!isSuspect) leaving.Before = null;
        other.DieAfter(0);
        rig.Known.MarkGone(other.Id);
        rig.Add();
        await NewRepair(rig).RepairAsync(Key(block));
        Assert.Contains(rig.Nodes[2].Id, rig.Catalogue[block.Name].Nodes);
        Assert.Equal(NodeExtensions.Content(1, 70_001), await rig.ReadAsync(block));
    }

    [Fact]
    public async Task A_node_whose_flush_has_failed_is_asked_for_a_copy_that_nobody_recorded()
    {
        await using var rig = NewRig(3);
        var block = await StoreAsync(rig, 1);
        rig.Catalogue.Put(block.Name, block.LengthBytes, 3, block.Durable.Take(1));
        rig.Damage(block.Durable[0], block.Name);
        await rig[block.Durable[1]].RemoveAsync(block.Name, default);
        FailFlush(rig[block.Durable[2]]);
        Assert.Equal(RepairOutcome.Short, await NewRepair(rig).RepairAsync(Key(block)));
        await AssertWholeAsync(rig, block.Name, 2);
        Assert.DoesNotContain(block.Durable[2], rig.Catalogue[block.Name].Nodes);
    }

    static void FailFlush(ScriptedNode node)
    {
        node.Before = call => call is NodeCall.Begin or NodeCall.Install or NodeCall.Verify or NodeCall.Remove
            ? throw new StorageNodeException(node.Id, NodeErrorKind.Suspect, "a flush has failed")
            : Task.CompletedTask;
        node.Health = health => health with { State = NodeState.Suspect };
    }

    [Fact]
    public async Task A_scrub_finds_rot_goes_on_where_it_ended_and_has_it_mended()
    {
        await using var rig = NewRig(3);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 9; number++) blocks.Add(await StoreAsync(rig, number));
        var node = rig.Nodes[1];
        rig.Damage(node.Id, blocks[2].Name, 100);
        rig.Damage(node.Id, blocks[5].Name, blocks[5].LengthBytes + 40); // In the trailer.
        var care = NewCare(rig);
        var (good, bad, calls) = (0, 0, 0);
        CustomerBlock? position = null;
        do
        {
            var progress = await care.ScrubAsync(node.Id, position, 4);
            position = progress.Last;
            good += progress.Good;
            bad += progress.Bad.Count;
            calls++;
        }
        while (position is not null);

        Assert.Equal((7, 2, 4), (good, bad, calls));
        foreach (var block in blocks) await AssertWholeAsync(rig, block.Name, 3);
    }

    [Fact]
    public async Task A_bucket_lets_through_what_it_says()
    {
        var bucket = new TokenBucket(1000, clock);
        await bucket.TakeAsync(1000);
        var next = bucket.TakeAsync(500).AsTask();
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(2));
        await next;
        clock.Advance(TimeSpan.FromDays(1)); // Of a day only a second is kept.
        await bucket.TakeAsync(1000);
        Assert.False(bucket.TakeAsync(10).AsTask().IsCompleted);
        Assert.True(new TokenBucket(0).TakeAsync(int.MaxValue).AsTask().IsCompleted);
    }

    /// <summary>
    /// Disks rot, nodes go and come back, copies are lost, and repair, scrub, drain and comparison are under way, each cut off anywhere by
    /// the death of a node: as long as one good copy could be asked for, none is lost, and in the end all are whole.
    /// </summary>
    [Theory, Seeds(count: 3)]
    public Task No_block_loses_its_last_copy_to_those_who_look_after_it(ulong seed) =>
        LookAfterAsync(seed, TestTier.Choose(5, 150), _ => { });

    [Fact]
    public async Task A_verification_that_does_not_read_is_found()
    {
        for (var seed = 1UL; seed < 9; seed++)
        {
            var found = await Record.ExceptionAsync(() => LookAfterAsync(seed, 3, node => node.BelievesItsListing = true));
            if (found is StorageNodeException { Kind: NodeErrorKind.Damaged }) return;
            Assert.Null(found);
        }

        Assert.Fail("not found");
    }

    /// <summary>Draining, scrubbing, comparing and repairing at the same time: every copy that is listed is there.</summary>
    [Theory, Seeds(count: 2)]
    public async Task Those_who_look_after_blocks_do_not_harm_each_others_work(ulong seed)
    {
        var random = new SeededRandom(seed);
        for (var round = 0; round < TestTier.Choose(4, 60); round++)
        {
            await using var rig = NewRig(5);
            var blocks = new List<StoredCopies>();
            for (var number = 0; number < 8; number++) blocks.Add(await StoreAsync(rig, number));
            foreach (var block in blocks)
            {
                // One copy is wrong, gone, or one too many is there.
                var victim = block.Durable[random.Next(3)];
                var other = rig.Nodes.First(node => !block.Durable.Contains(node.Id));
                if (random.OneIn(3)) rig.Damage(victim, block.Name, random.Next(block.LengthBytes));
                else if (random.OneIn(2)) await rig[victim].Inner.RemoveAsync(block.Name, default);
                else await BlockCopy.RunAsync(rig[victim], other, block.Block, rig.Buffers, null, default);
            }

            var (care, repair) = (NewCare(rig), NewRepair(rig));
            var drained = random.Pick(rig.Nodes).Id;
            var work = new List<Task> { Task.Run(() => care.DrainAsync(drained)) };
            foreach (var node in rig.Nodes)
            {
                work.Add(Task.Run(() => care.CompareAsync(node.Id)));
                work.Add(Task.Run(() => care.ScrubAsync(node.Id, null, 100)));
            }

            work.AddRange(blocks.Select(block => Task.Run(() => repair.RepairAsync(Key(block)))));
            await Task.WhenAll(work);
            foreach (var block in blocks)
            {
                foreach (var node in rig.Catalogue[block.Name].Nodes) await rig[node].Inner.VerifyAsync(block.Name, default);
                Assert.Equal(RepairOutcome.Whole, await repair.RepairAsync(Key(block)));
                await AssertWholeAsync(rig, block.Name, 3);
            }

            await rig.AssertTidyAsync();
        }
    }

    async Task LookAfterAsync(ulong seed, int rounds, Action<ScriptedNode> plant)
    {
        var random = new SeededRandom(seed);
        for (var round = 0; round < rounds; round++)
        {
            await using var rig = NewRig(random.Next(3, 6));
            rig.Nodes.ForEach(plant);
            var blocks = new List<StoredCopies>();
            for (var number = 0; number < 4; number++) blocks.Add(await StoreAsync(rig, number));
            var care = NewCare(rig);
            for (var step = 0; step < 10; step++)
            {
                // One fault at a time, and then somebody looks after it: two copies stay good.
                var node = random.Pick(rig.Nodes);
                var block = random.Pick(blocks);
                switch (random.Next(4))
                {
                    case 0 when await node.Inner.FindAsync(block.Name, default) is not null:
                        rig.Damage(node.Id, block.Name, random.Next(block.LengthBytes));
                        break;
                    case 1:
                        await node.Inner.RemoveAsync(block.Name, default);
                        break;
                    case 2:
                        node.DieAfter(random.Next(12));
                        break;
                    default:
                        break;
                }

                var target = random.Pick(rig.Nodes);
                try
                {
                    switch (random.Next(4))
                    {
                        case 0:
                            await care.DrainAsync(target.Id);
                            break;
                        case 1:
                            await care.CompareAsync(target.Id);
                            break;
                        case 2:
                            rig.Known.MarkGone(target.Id);
                            await care.ReplaceLostAsync(target.Id);
                            break;
                        default:
                            await care.ScrubAsync(target.Id, null, 100);
                            break;
                    }
                }
                catch (StorageNodeException)
                {
                    Assert.Contains(rig.Nodes, one => one.Before is not null);
                }

                foreach (var one in rig.Nodes)
                {
                    one.Before = null;
                    rig.Known.SetDraining(one.Id, false);
                    rig.Known.Remove(one.Id);
                    rig.Known.Add(one); // It is back, and not lost any more.
                }

                foreach (var one in blocks)
                {
                    Assert.Equal(RepairOutcome.Whole, await NewRepair(rig).RepairAsync(Key(one)));
                    await AssertWholeAsync(rig, one.Name, 3);
                }
            }

            await rig.SettleAsync(); // A node that has died on the way has forgotten its upload only when it was idle for long enough.
        }
    }

    NodeRig NewRig(int nodes) => new(nodes, clock: clock);

    BlockRepair NewRepair(NodeRig rig) => new(rig.Known, rig.Buffers, rig.Catalogue, null, new SeededEntropy(4));

    NodeCare NewCare(NodeRig rig) => new(rig.Known, rig.Catalogue, NewRepair(rig), new TokenBucket(1 << 30, clock));

    static async Task<StoredCopies> StoreAsync(NodeRig rig, int number)
    {
        var copies = await rig.StoreAsync(NodeExtensions.Content(number, 70_000 + number));
        await copies.Completed;
        rig.Catalogue.Put(copies);
        return copies;
    }

    static CustomerBlock Key(StoredCopies block) => new(NodeExtensions.Owner, block.Name);

    // Each copy that the catalogue lists is there, and right.
    static async Task AssertWholeAsync(NodeRig rig, BlockName name, int copies)
    {
        var listed = rig.Catalogue[name].Nodes;
        Assert.Equal(copies, listed.Count);
        foreach (var node in listed) await rig[node].Inner.VerifyAsync(name, default);
    }
}
