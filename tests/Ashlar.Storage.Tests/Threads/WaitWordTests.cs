namespace Ashlar.Storage.Tests;

/// <summary>The same word by a futex, and as systems without one have it.</summary>
public sealed class WaitWordTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void All_who_wait_go_on_when_it_changes(bool usesFutex)
    {
        const int waiters = 4;
        const int rounds = 2000;
        var word = new WaitWord(usesFutex);
        var arrived = 0;
        var threads = Enumerable.Range(0, waiters).Select(_ => new Thread(() =>
        {
            for (var round = 0; round < rounds; round++)
            {
                Interlocked.Increment(ref arrived);
                word.WaitWhile(round);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        for (var round = 0; round < rounds; round++)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref arrived) == (round + 1) * waiters);
            word.Value = round + 1;
            word.WakeAll();
        }

        foreach (var thread in threads) thread.Join();
        Assert.Equal(rounds, word.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_interruption_is_kept_until_the_wait_is_over(bool usesFutex)
    {
        var word = new WaitWord(usesFutex);
        var (seen, wasInterrupted) = (-1, false);
        var waiter = new Thread(() =>
        {
            word.WaitWhile(0);
            seen = word.Value;
            try
            {
                Thread.Sleep(0);
            }
            catch (ThreadInterruptedException)
            {
                wasInterrupted = true;
            }
        });
        waiter.Start();
        for (var i = 0; i < 1000; i++) waiter.Interrupt();
        word.Value = 7;
        word.WakeAll();
        waiter.Join();
        Assert.Equal(7, seen);
        Assert.True(wasInterrupted);
    }
}
