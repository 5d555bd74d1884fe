using System.Security.Cryptography;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>A machine that has a pool in use.</summary>
/// <param name="Id">What it is known by: no two machines have the same.</param>
/// <param name="Name">What people call it.</param>
public sealed record PoolHost(Guid Id, string Name)
{
    const string MachineIdPath = "/etc/machine-id";

    /// <summary>This one: by its machine id, or by its name where it has none.</summary>
    public static PoolHost ThisMachine { get; } = Find();

    static PoolHost Find()
    {
        var known = ReadMachineId() ?? Encoding.UTF8.GetBytes(Environment.MachineName);
        var identity = Encoding.UTF8.GetBytes("ashlar pool host ").Concat(known);
        return new PoolHost(new Guid(SHA256.HashData([.. identity]).AsSpan(0, 16), bigEndian: true), Environment.MachineName);
    }

    static byte[]? ReadMachineId()
    {
        try
        {
            using var file = FileSystems.Real.Open(MachineIdPath, FileOpenMode.ReadOnly);
            return file.ReadWhole() is { Length: > 0 } id ? id : null;
        }
        catch (Exception e) when (e is AshlarException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
