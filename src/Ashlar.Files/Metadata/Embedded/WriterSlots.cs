namespace Ashlar.Files;

/// <summary>
/// Numbers that transactions have while they write. Counts of usage are kept in as many parts, so that each part has one writer at a
/// time and none waits for the flush of another.
/// </summary>
sealed class WriterSlots : IDisposable
{
    const int Count = 64;

    readonly SemaphoreSlim free = new(Count);
    readonly Stack<byte> numbers = new(Enumerable.Range(0, Count).Reverse().Select(number => (byte)number));

    public async Task<byte> TakeAsync()
    {
        await free.WaitAsync();
        lock (numbers) return numbers.Pop();
    }

    public void Return(byte number)
    {
        lock (numbers) numbers.Push(number);
        free.Release();
    }

    public void Dispose() => free.Dispose();
}
