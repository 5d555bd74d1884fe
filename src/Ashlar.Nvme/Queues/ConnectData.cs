using System.Text;

namespace Ashlar.Nvme;

// Data of the Connect command (NVM Express Base 2.0, 6.3): which controller, of which subsystem, for whom.
//   0         16       18         256              512            768        1024
//   +---------+--------+----------+----------------+--------------+----------+
//   | host id | CNTLID | reserved | subsystem NQN  | host NQN     | reserved |
//   +---------+--------+----------+----------------+--------------+----------+
sealed record ConnectData(Guid HostId, ushort ControllerId, string? SubsystemName, string? HostName)
{
    public const int SizeBytes = 1024;
    public const int HostIdOffset = 0, ControllerIdOffset = 16, SubsystemOffset = 256, HostOffset = 512;

    /// <summary>The identifier by which a host asks for any controller.</summary>
    public const ushort AnyController = 0xFFFF;

    const int NameFieldBytes = 256;

    /// <summary>The longest NQN, without the NUL behind it.</summary>
    const int MaxNameBytes = 223;

    public static ConnectData Read(ReadOnlySpan<byte> data) => new(
        new Guid(data.Slice(HostIdOffset, 16), bigEndian: true),
        System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(data[ControllerIdOffset..]),
        ReadName(data[SubsystemOffset..]),
        ReadName(data[HostOffset..]));

    public void Write(Span<byte> data)
    {
        data[..SizeBytes].Clear();
        HostId.TryWriteBytes(data[HostIdOffset..], bigEndian: true, out _);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(data[ControllerIdOffset..], ControllerId);
        Encoding.UTF8.GetBytes(SubsystemName ?? "", data[SubsystemOffset..]);
        Encoding.UTF8.GetBytes(HostName ?? "", data[HostOffset..]);
    }

    /// <summary>A name that ends with NUL; null where it is none. What it holds ends up in logs, so it has no control characters.</summary>
    static string? ReadName(ReadOnlySpan<byte> source)
    {
        var length = source[..NameFieldBytes].IndexOf((byte)0);
        if (length is < 1 or > MaxNameBytes) return null;
        var name = source[..length];
        if (!name.StartsWith("nqn."u8)) return null;
        foreach (var each in name)
            if (each is <= 0x20 or >= 0x7F) return null;
        return Encoding.ASCII.GetString(name);
    }
}
