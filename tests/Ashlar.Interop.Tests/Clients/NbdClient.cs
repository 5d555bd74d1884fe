using System.Runtime.InteropServices;

namespace Ashlar.Interop.Tests.Clients;

/// <summary>libnbd, the reference client library of NBD.</summary>
sealed unsafe partial class NbdClient : IBlockClient
{
    public const string Library = "libnbd.so.0";
    const uint ForceUnitAccess = 1; // LIBNBD_CMD_FLAG_FUA

    nint handle;

    public NbdClient(string uri)
    {
        handle = nbd_create();
        if (handle == 0) throw Failure("nbd_create");
        try
        {
            Check(nbd_connect_uri(handle, uri), $"nbd_connect_uri {uri}");
            SizeBytes = nbd_get_size(handle);
            if (SizeBytes < 0) throw Failure("nbd_get_size");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public long SizeBytes { get; }

    public void Read(long offsetBytes, Span<byte> destination)
    {
        fixed (byte* pointer = destination)
            Check(nbd_pread(handle, pointer, (nuint)destination.Length, (ulong)offsetBytes, 0), "nbd_pread");
    }

    public void Write(long offsetBytes, ReadOnlySpan<byte> source, bool forceUnitAccess)
    {
        fixed (byte* pointer = source)
            Check(nbd_pwrite(handle, pointer, (nuint)source.Length, (ulong)offsetBytes, forceUnitAccess ? ForceUnitAccess : 0), "nbd_pwrite");
    }

    public void Trim(long offsetBytes, long lengthBytes) =>
        Check(nbd_trim(handle, (ulong)lengthBytes, (ulong)offsetBytes, 0), "nbd_trim");

    public void WriteZeroes(long offsetBytes, long lengthBytes) =>
        Check(nbd_zero(handle, (ulong)lengthBytes, (ulong)offsetBytes, 0), "nbd_zero");

    public void Flush() => Check(nbd_flush(handle, 0), "nbd_flush");

    public void Dispose()
    {
        if (handle != 0) nbd_close(handle);
        handle = 0;
    }

    static void Check(int result, string operation)
    {
        if (result < 0) throw Failure(operation);
    }

    static ClientException Failure(string operation) =>
        new(operation, Marshal.PtrToStringUTF8(nbd_get_error()) ?? "no error text");

    [LibraryImport(Library)]
    private static partial nint nbd_create();

    [LibraryImport(Library)]
    private static partial void nbd_close(nint handle);

    [LibraryImport(Library)]
    private static partial nint nbd_get_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int nbd_connect_uri(nint handle, string uri);

    [LibraryImport(Library)]
    private static partial long nbd_get_size(nint handle);

    [LibraryImport(Library)]
    private static partial int nbd_pread(nint handle, byte* buffer, nuint count, ulong offset, uint flags);

    [LibraryImport(Library)]
    private static partial int nbd_pwrite(nint handle, byte* buffer, nuint count, ulong offset, uint flags);

    [LibraryImport(Library)]
    private static partial int nbd_trim(nint handle, ulong count, ulong offset, uint flags);

    [LibraryImport(Library)]
    private static partial int nbd_zero(nint handle, ulong count, ulong offset, uint flags);

    [LibraryImport(Library)]
    private static partial int nbd_flush(nint handle, uint flags);
}
