namespace Ashlar.Transport.Tests.Echo;

/// <summary>A value that one thread hands to another, which waits for it.</summary>
sealed class BlockingValue<T> : IDisposable
{
    readonly ManualResetEventSlim isSet = new();
    T value = default!;

    public void Set(T newValue)
    {
        value = newValue;
        isSet.Set();
    }

    public T Get()
    {
        Assert.True(isSet.Wait(ListenerFixture.Limit), "the value never came");
        return value;
    }

    public void Dispose() => isSet.Dispose();
}
