namespace Ashlar.Interop.Tests.Clients;

/// <summary>One connection of a real client library. Calls block, and throw <see cref="ClientException"/> when the server
/// answers with an error or is gone. Not for use by two threads at a time.</summary>
interface IBlockClient : IDisposable
{
    long SizeBytes { get; }

    void Read(long offsetBytes, Span<byte> destination);

    void Write(long offsetBytes, ReadOnlySpan<byte> source, bool forceUnitAccess);

    /// <summary>Gives space back; the range reads as zeros afterwards.</summary>
    void Trim(long offsetBytes, long lengthBytes);

    void WriteZeroes(long offsetBytes, long lengthBytes);

    void Flush();
}

sealed class ClientException(string operation, string reason) : Exception($"{operation}: {reason}");
