using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ashlar.TestKit;

/// <summary>
/// A block device in a file. It stays the same device, with the same file, however often what is on it is mounted: a device that mount(8) makes
/// goes with the last user, which may be while the next mount already uses it.
/// </summary>
sealed partial class LoopDevice : IDisposable
{
    const int Exclusive = 0x80; // O_EXCL: of a block device that nobody has mounted.
    const int Busy = 16; // EBUSY
    const int BusyAttempts = 500;

    readonly string image;

    public LoopDevice(string image)
    {
        this.image = image;
        DevicePath = ExternalTool.Run("losetup", "--find", "--show", image).MustSucceed().Trim();
    }

    public string DevicePath { get; }

    /// <summary>Gives back what a run that was killed left.</summary>
    public static void DetachAllOf(string image)
    {
        var devices = ExternalTool.Run("losetup", "--associated", image, "--noheadings", "--output", "NAME").Output;
        foreach (var device in devices.Split('\n', StringSplitOptions.RemoveEmptyEntries)) ExternalTool.Run("losetup", "--detach", device.Trim());
    }

    /// <summary>
    /// Waits until no file system is on the device. One that was unmounted here lives on while another mount namespace has it, and the next
    /// mount would be that very one: without power.
    /// </summary>
    public void WaitUntilUnmountedEverywhere()
    {
        for (var attempt = 0; ; attempt++)
        {
            var descriptor = Open(DevicePath, Exclusive);
            if (descriptor >= 0)
            {
                _ = Close(descriptor);
                return;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error != Busy || attempt > BusyAttempts)
            {
                throw new BrokenVolumeException(
                    $"{DevicePath}, unmounted, is still in use by somebody else, perhaps in another mount namespace: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            Thread.Sleep(10);
        }
    }

    /// <summary>Null if every byte of the device can be read; else what is wrong with it.</summary>
    public string? WhyBroken()
    {
        try
        {
            using var device = File.Open(DevicePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var (buffer, wanted, read) = (new byte[1 << 20], new FileInfo(image).Length, 0L);
            while (device.Read(buffer) is > 0 and var length) read += length;
            return read >= wanted ? null : $"{DevicePath} ends at byte {read} of {wanted}: it has lost its file {image}";
        }
        catch (IOException error)
        {
            return $"{DevicePath} of {image} cannot be read: {error.Message}";
        }
    }

    public void Dispose() => ExternalTool.Run("losetup", "--detach", DevicePath).MustSucceed();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
