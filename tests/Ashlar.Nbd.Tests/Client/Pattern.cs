namespace Ashlar.Nbd.Tests.Client;

/// <summary>Bytes of which every block differs from its neighbours.</summary>
static class Pattern
{
    public static byte[] Of(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = (byte)((i * 31) ^ (i >> 9));
        return bytes;
    }
}
