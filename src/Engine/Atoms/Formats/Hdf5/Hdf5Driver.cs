using System.Reflection;
using System.Reflection.Emit;
using PureHDF;
using PureHDF.VOL.Native;

namespace ChemScale.Engine.Atoms.Formats.Hdf5;

/// <summary>
/// Opens HDF5 by PureHDF's own driver for streams with one method before it: nothing is made for bytes beyond the end. PureHDF makes an array as long as a
/// field of the file says, up to 2 GB, and finds then that the file is shorter. Its drivers are internal, so the derived one is made when it is first needed.
/// </summary>
internal static class Hdf5Driver
{
    private const string Library = "PureHDF", Name = "ChemScale.Hdf5Driver";

    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly Lazy<ConstructorInfo> Bounded = new(Define);

    private static readonly Lazy<MethodInfo> OpenDriver = new(() => typeof(NativeFile).GetMethods(Any)
        .Single(m => m.Name == "InternalOpen" && m.GetParameters() is [{ ParameterType.Name: "H5DriverBase" }, _, _, _]));

    /// <param name="bytes">Of the file; closed with it.</param>
    public static NativeFile Open(Stream bytes)
    {
        object driver = Bounded.Value.Invoke([bytes]);
        return (NativeFile)OpenDriver.Value.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [driver, "", false, null], null)!;
    }

    private static ConstructorInfo Define()
    {
        Type driver = typeof(H5File).Assembly.GetType("PureHDF.VFD.H5StreamDriver", throwOnError: true)!;
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(Name), AssemblyBuilderAccess.Run);
        ModuleBuilder module = assembly.DefineDynamicModule(Name);
        assembly.SetCustomAttribute(new CustomAttributeBuilder(DefineAccess(module), [Library]));
        TypeBuilder type = module.DefineType("BoundedDriver", TypeAttributes.Public | TypeAttributes.Sealed, driver);
        FieldBuilder bytes = type.DefineField("bytes", typeof(Stream), FieldAttributes.Private);
        ILGenerator code = type.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(Stream)]).GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Ldc_I4_0);
        code.Emit(OpCodes.Call, driver.GetConstructor(Any, [typeof(Stream), typeof(bool)])!);
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Stfld, bytes);
        code.Emit(OpCodes.Ret);
        DefineRead(type, driver.GetMethod("ReadBytes", Any, [typeof(int)])!, bytes);
        return type.CreateType().GetConstructor([typeof(Stream)])!;
    }

    /// <summary>The attribute by which the runtime lets one assembly at the internals of another; it knows it by its name.</summary>
    private static ConstructorInfo DefineAccess(ModuleBuilder module)
    {
        TypeBuilder attribute = module.DefineType("System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.Public, typeof(Attribute));
        ILGenerator code = attribute.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]).GetILGenerator();
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(Any, [])!);
        code.Emit(OpCodes.Ret);
        return attribute.CreateType().GetConstructor([typeof(string)])!;
    }

    /// <summary>byte[] ReadBytes(int count) =&gt; count &lt;= bytes.Length - bytes.Position ? base.ReadBytes(count) : throw.</summary>
    private static void DefineRead(TypeBuilder type, MethodInfo read, FieldBuilder bytes)
    {
        const MethodAttributes Overriding = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig;
        ILGenerator code = type.DefineMethod(read.Name, Overriding, typeof(byte[]), [typeof(int)]).GetILGenerator();
        Label within = code.DefineLabel();
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Conv_I8);
        foreach (string end in (string[])[nameof(Stream.Length), nameof(Stream.Position)])
        {
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldfld, bytes);
            code.Emit(OpCodes.Callvirt, typeof(Stream).GetProperty(end)!.GetMethod!);
        }
        code.Emit(OpCodes.Sub);
        code.Emit(OpCodes.Ble, within);
        code.Emit(OpCodes.Ldstr, "bytes beyond the end");
        code.Emit(OpCodes.Newobj, typeof(InvalidDataException).GetConstructor([typeof(string)])!);
        code.Emit(OpCodes.Throw);
        code.MarkLabel(within);
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Call, read);
        code.Emit(OpCodes.Ret);
    }
}
