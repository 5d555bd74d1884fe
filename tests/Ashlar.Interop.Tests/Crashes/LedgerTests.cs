namespace Ashlar.Interop.Tests.Crashes;

/// <summary>The oracle itself: a harness that cannot fail proves nothing.</summary>
public sealed class LedgerTests
{
    const ulong Run = 17;
    const long Block = 3;
    readonly Ledger ledger = new(Run, blockCount: 8);
    readonly byte[] content = new byte[BlockStamp.SizeBytes];

    [Fact]
    public void A_block_nobody_wrote_reads_as_zeros()
    {
        Assert.Equal(Fault.None, AfterCrash(Zeros()));
        Assert.Equal(Fault.Invented, AfterCrash(Stamped(version: 1)));
    }

    [Fact]
    public void An_unflushed_write_may_be_there_or_not()
    {
        Write();
        Assert.Equal(Fault.None, AfterCrash(Zeros()));
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 1)));
    }

    [Fact]
    public void A_write_in_flight_at_the_kill_may_be_there_or_not()
    {
        Write();
        Flush();
        var inFlight = ledger.Issue(Block, zeros: false);
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 1)));
        Assert.Equal(Fault.None, AfterCrash(Stamped(inFlight)));
    }

    [Fact]
    public void A_flushed_write_that_is_gone_is_lost()
    {
        Write();
        Write();
        Flush();
        Assert.Equal(Fault.Lost, AfterCrash(Zeros()));
        Assert.Equal(Fault.Lost, AfterCrash(Stamped(version: 1)));
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 2)));
    }

    [Fact]
    public void A_flush_does_not_cover_what_completed_after_it_began()
    {
        Write();
        var mark = ledger.BeginFlush();
        Write();
        ledger.CompleteFlush(mark);
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 1)));
        Assert.Equal(Fault.Lost, AfterCrash(Zeros()));
    }

    [Fact]
    public void A_flush_covers_the_writes_of_every_other_writer()
    {
        var version = ledger.Issue(block: 5, zeros: false);
        ledger.Complete(block: 5, version);
        Write();
        Flush();
        Assert.Equal(Fault.Lost, ledger.JudgeAfterCrash(5, Zeros()).Fault);
    }

    [Fact]
    public void Flushes_that_end_out_of_order_never_lower_the_floor()
    {
        Write();
        var early = ledger.BeginFlush();
        Write();
        var late = ledger.BeginFlush();
        ledger.CompleteFlush(late);
        ledger.CompleteFlush(early);
        Assert.Equal(Fault.Lost, AfterCrash(Stamped(version: 1)));
    }

    [Fact]
    public void A_forced_write_is_durable_without_a_flush()
    {
        ledger.CompleteForced(Block, Write());
        Assert.Equal(Fault.Lost, AfterCrash(Zeros()));
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 1)));
    }

    [Fact]
    public void A_block_made_of_two_versions_is_torn()
    {
        Write();
        Write();
        var older = Stamped(version: 1).ToArray();
        var torn = Stamped(version: 2).ToArray();
        older.AsSpan(2048).CopyTo(torn.AsSpan(2048));
        Assert.Equal(Fault.Torn, AfterCrash(torn));
    }

    [Fact]
    public void A_block_half_zeros_is_torn()
    {
        Write();
        var torn = Stamped(version: 1).ToArray();
        torn.AsSpan(512, 512).Clear();
        Assert.Equal(Fault.Torn, AfterCrash(torn));
        torn.AsSpan(0, 4095).Clear();
        Assert.Equal(Fault.Torn, AfterCrash(torn));
    }

    [Fact]
    public void Another_blocks_bytes_are_foreign()
    {
        Write();
        new BlockStamp(Run, Block + 1, 1, Writer: 0, Cycle: 0).Write(content);
        Assert.Equal(Fault.Foreign, AfterCrash(content));
        new BlockStamp(Run + 1, Block, 1, Writer: 0, Cycle: 0).Write(content);
        Assert.Equal(Fault.Foreign, AfterCrash(content));
    }

    [Fact]
    public void A_flushed_trim_does_not_give_the_old_bytes_back()
    {
        Write();
        Flush();
        ledger.Complete(Block, ledger.Issue(Block, zeros: true));
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 1)));
        Assert.Equal(Fault.None, AfterCrash(Zeros()));
        Flush();
        Assert.Equal(Fault.Lost, AfterCrash(Stamped(version: 1)));
        Assert.Equal(Fault.None, AfterCrash(Zeros()));
    }

    [Fact]
    public void What_a_crash_took_away_never_comes_back()
    {
        Write();
        Write();
        ledger.SettleAfterCrash(Block, ledger.JudgeAfterCrash(Block, Stamped(version: 1)));
        Assert.Equal(Fault.Invented, AfterCrash(Stamped(version: 2)));
        Assert.Equal(3, Write());
        Assert.Equal(Fault.Invented, AfterCrash(Stamped(version: 2)));
        Assert.Equal(Fault.None, AfterCrash(Stamped(version: 3)));
    }

    [Fact]
    public void What_was_read_after_a_crash_and_flushed_stays()
    {
        Write();
        ledger.SettleAfterCrash(Block, ledger.JudgeAfterCrash(Block, Stamped(version: 1)));
        Assert.Equal(Fault.None, AfterCrash(Zeros()));
        Flush();
        Assert.Equal(Fault.Lost, AfterCrash(Zeros()));
    }

    [Fact]
    public void A_live_server_must_return_the_last_completed_version()
    {
        Write();
        Write();
        Assert.Equal(Fault.Stale, ledger.JudgeLive(Block, Stamped(version: 1)).Fault);
        Assert.Equal(Fault.Stale, ledger.JudgeLive(Block, Zeros()).Fault);
        Assert.Equal(Fault.None, ledger.JudgeLive(Block, Stamped(version: 2)).Fault);
        ledger.Complete(Block, ledger.Issue(Block, zeros: true));
        Assert.Equal(Fault.None, ledger.JudgeLive(Block, Zeros()).Fault);
    }

    long Write()
    {
        var version = ledger.Issue(Block, zeros: false);
        ledger.Complete(Block, version);
        return version;
    }

    void Flush() => ledger.CompleteFlush(ledger.BeginFlush());

    Fault AfterCrash(ReadOnlySpan<byte> found) => ledger.JudgeAfterCrash(Block, found).Fault;

    ReadOnlySpan<byte> Zeros()
    {
        content.AsSpan().Clear();
        return content;
    }

    ReadOnlySpan<byte> Stamped(long version)
    {
        new BlockStamp(Run, Block, version, Writer: 0, Cycle: 0).Write(content);
        return content;
    }
}
